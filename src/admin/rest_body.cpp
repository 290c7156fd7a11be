// SPDX-License-Identifier: Apache-2.0
#include "admin/rest_body.h"

#include <charconv>

namespace birthmark::admin {

net::Response answer(int status, const json::value& value) {
  net::Response response;
  response.status = status;
  response.body = json::serialize(value) + "\n";
  return response;
}

json::value text_or_null(const std::string& text) {
  return text.empty() ? json::value() : json::value(text);
}

json::value moment_or_null(const std::optional<Instant>& at) {
  return at ? json::value(format_rfc3339(*at)) : json::value();
}

std::string_view parameter(std::string_view query, std::string_view name) {
  while (!query.empty()) {
    const std::size_t end = query.find('&');
    const std::string_view pair = query.substr(0, end);
    const std::size_t equals = pair.find('=');
    if (pair.substr(0, equals) == name) return equals == std::string_view::npos ? std::string_view() : pair.substr(equals + 1);
    query.remove_prefix(end == std::string_view::npos ? query.size() : end + 1);
  }
  return {};
}

Result<std::uint64_t> number_parameter(std::string_view query, std::string_view name, std::uint64_t otherwise) {
  const std::string_view text = parameter(query, name);
  if (text.empty()) return otherwise;
  std::uint64_t value = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
  if (read.ec != std::errc{} || read.ptr != text.data() + text.size() || value > INT64_MAX)
    return fail(ErrorCode::invalid, "Invalid value for '" + std::string(name) + "'");
  return value;
}

Body::Body(std::string_view text) {
  boost::system::error_code failure;
  if (text.empty()) return;
  value_ = json::parse(json::string_view(text.data(), text.size()), failure);
  if (failure)
    problem_ = "The request body is not valid JSON: " + failure.message();
  else if (!value_.is_object())
    problem_ = "The request body must be a JSON object";
}

std::string Body::text(std::string_view name) {
  const json::value* member = find(name);
  if (member == nullptr) return {};
  if (!member->is_string()) return complain(name, "a string"), std::string();
  return std::string(member->get_string());
}

std::optional<bool> Body::flag(std::string_view name) {
  const json::value* member = find(name);
  if (member == nullptr) return std::nullopt;
  if (!member->is_bool()) return complain(name, "true or false"), std::nullopt;
  return member->get_bool();
}

std::optional<std::uint64_t> Body::number(std::string_view name) {
  const json::value* member = find(name);
  if (member == nullptr) return std::nullopt;
  if (!member->is_int64() || member->get_int64() < 0) return complain(name, "a whole number"), std::nullopt;
  return static_cast<std::uint64_t>(member->get_int64());
}

std::vector<std::string> Body::texts(std::string_view name) {
  std::vector<std::string> found;
  const json::value* member = find(name);
  if (member == nullptr) return found;
  if (!member->is_array()) return complain(name, "a list of strings"), found;
  for (const json::value& element : member->get_array()) {
    if (!element.is_string()) return complain(name, "a list of strings"), found;
    found.emplace_back(element.get_string());
  }
  return found;
}

std::optional<Instant> Body::moment(std::string_view name) {
  const std::string written = text(name);
  if (written.empty()) return std::nullopt;
  const auto parsed = parse_rfc3339(written);
  if (!parsed) return complain(name, "a moment like 2027-01-31T00:00:00Z"), std::nullopt;
  return *parsed;
}

std::optional<Duration> Body::span(std::string_view name) {
  const std::string written = text(name);
  if (written.empty()) return std::nullopt;
  const auto parsed = parse_duration(written);
  if (!parsed) return complain(name, "a span like 24h"), std::nullopt;
  return *parsed;
}

Status Body::good() const {
  if (problem_.empty()) return {};
  return fail(ErrorCode::invalid, problem_);
}

const json::value* Body::find(std::string_view name) const {
  if (!problem_.empty() || !value_.is_object()) return nullptr;
  const json::value* member = value_.get_object().if_contains(name);
  return member == nullptr || member->is_null() ? nullptr : member;
}

void Body::complain(std::string_view name, std::string_view wanted) {
  if (problem_.empty()) problem_ = "'" + std::string(name) + "' must be " + std::string(wanted);
}

}  // namespace birthmark::admin
