// SPDX-License-Identifier: Apache-2.0
// What every resource of the factory API says alike. Errors are {"message": ...}, with "errors": {field: text} where several things are
// wrong: of anything else fioctl prints nothing (protocol facts, Foundries 0.6).
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "core/enrollment.h"
#include "net/http.h"

namespace birthmark::faces::factory_api {

[[nodiscard]] net::Response json_answer(int status, std::string body);
[[nodiscard]] net::Response fields_error(int status, std::string_view message,
                                         const std::vector<std::pair<std::string, std::string>>& fields);

// 4xx for what asking again cannot change, 503 for the rest, which is logged.
[[nodiscard]] net::Response error_response(const Error& error);
[[nodiscard]] net::Response refusal_response(const core::Refusal& refusal);

// RFC 3986 2.1; nothing for a '%' without two digits, or what is no UTF-8 text without NUL. `plus` stands for a space in queries and forms.
enum class Plus : std::uint8_t { literal, space };
[[nodiscard]] std::optional<std::string> percent_decoded(std::string_view text, Plus plus);
// Of "a=b&c=d", a query or a form: the first value of that name, decoded. Nothing when it is not there or cannot be decoded.
[[nodiscard]] std::optional<std::string> query_value(std::string_view query, std::string_view name);

}  // namespace birthmark::faces::factory_api
