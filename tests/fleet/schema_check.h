// SPDX-License-Identifier: Apache-2.0
// As much of JSON Schema (2020-12, OpenAPI 3.1's) as the document uses: $ref, type, properties, required, items, additionalProperties,
// enum, oneOf.
#pragma once

#include <boost/json.hpp>
#include <string>

namespace birthmark::testing {

// Empty when `value` is one that `schema` describes; otherwise what is wrong, and where.
[[nodiscard]] std::string why_not(const boost::json::value& document, const boost::json::value& schema, const boost::json::value& value,
                                  const std::string& where = "");

// What `at` is, or refers to.
[[nodiscard]] const boost::json::value& resolved(const boost::json::value& document, const boost::json::value& at);

}  // namespace birthmark::testing
