// SPDX-License-Identifier: Apache-2.0
// Members of a JSON request body, each asked for by its type. What does not fit is collected and named, so that a caller learns of every
// mistake at once. Total: whatever bytes come, nothing throws.
#pragma once

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "net/http.h"

namespace birthmark::faces::factory_api {

class JsonBody {
 public:
  // An empty text is an empty object.
  explicit JsonBody(std::string_view text);

  // Nothing when the member is missing or null.
  [[nodiscard]] std::optional<std::string> text(std::string_view name);
  // true, false, or those words as strings: clients that write every scalar as one exist (Foundries 0.4).
  [[nodiscard]] std::optional<bool> flag(std::string_view name);
  [[nodiscard]] bool has(std::string_view name) const;
  [[nodiscard]] bool empty() const { return members().empty(); }
  [[nodiscard]] const boost::json::object& members() const;
  void complain(std::string_view field, std::string text) { mistakes_.emplace_back(field, std::move(text)); }

  // 400 with what is wrong; nothing when all is well. Ask last.
  [[nodiscard]] std::optional<net::Response> refusal() const;

 private:
  [[nodiscard]] const boost::json::value* find(std::string_view name) const;

  boost::json::value value_;
  std::string problem_;  // of the whole body
  std::vector<std::pair<std::string, std::string>> mistakes_;
};

}  // namespace birthmark::faces::factory_api
