// SPDX-License-Identifier: Apache-2.0
// What the REST files of this room share: answers in JSON, and what comes in, read strictly. Included by admin/rest*.cpp only.
#pragma once

#include <boost/json.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "net/http.h"

namespace birthmark::admin {

namespace json = boost::json;

[[nodiscard]] net::Response answer(int status, const json::value& value);
[[nodiscard]] json::value text_or_null(const std::string& text);
[[nodiscard]] json::value moment_or_null(const std::optional<Instant>& at);

// The value of `name` in "a=b&c=d"; ids and numbers need no percent-decoding.
[[nodiscard]] std::string_view parameter(std::string_view query, std::string_view name);
[[nodiscard]] Result<std::uint64_t> number_parameter(std::string_view query, std::string_view name, std::uint64_t otherwise);

// The members of a body, each asked for by its type; what is wrong is remembered and named.
class Body {
 public:
  explicit Body(std::string_view text);
  [[nodiscard]] std::string text(std::string_view name);
  [[nodiscard]] std::optional<bool> flag(std::string_view name);
  [[nodiscard]] std::optional<std::uint64_t> number(std::string_view name);
  [[nodiscard]] std::vector<std::string> texts(std::string_view name);
  [[nodiscard]] std::optional<Instant> moment(std::string_view name);
  [[nodiscard]] std::optional<Duration> span(std::string_view name);
  [[nodiscard]] Status good() const;

 private:
  [[nodiscard]] const json::value* find(std::string_view name) const;
  void complain(std::string_view name, std::string_view wanted);

  json::value value_;
  std::string problem_;
};

}  // namespace birthmark::admin
