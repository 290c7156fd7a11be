// SPDX-License-Identifier: Apache-2.0
// Serialises by hand: Beast's serialiser costs more than the rest of a keep-alive request.
#include "net/response_writer.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>

#include "net/ascii.h"

namespace birthmark::net {
namespace {

bool is_field_text(std::string_view text) {
  return std::none_of(text.begin(), text.end(), [](char c) { return c == '\r' || c == '\n' || c == '\0'; });
}

bool is_field_name(std::string_view name) {
  constexpr std::string_view kSymbols = "!#$%&'*+-.^_`|~";  // RFC 9110 5.6.2
  return !name.empty() && std::all_of(name.begin(), name.end(), [&](char c) {
    return (c >= '0' && c <= '9') || (lower_ascii(c) >= 'a' && lower_ascii(c) <= 'z') || kSymbols.find(c) != std::string_view::npos;
  });
}

// What the engine alone says; a handler's version of these is left out.
bool is_engine_header(std::string_view name) {
  constexpr std::array<std::string_view, 6> kOurs = {"content-length", "transfer-encoding", "connection", "keep-alive",
                                                     "date",           "content-type"};
  return std::any_of(kOurs.begin(), kOurs.end(), [&](std::string_view ours) { return equal_ignoring_case(ours, name); });
}

void append_number(std::string& to, std::size_t number) {
  std::array<char, 20> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number);
  to.append(digits.data(), end.ptr);
}

void append_field(std::string& to, std::string_view name, std::string_view value) {
  to.append(name);
  to.append(": ");
  to.append(value);
  to.append("\r\n");
}

// RFC 9110 6.4.1: these never have content, and 1xx and 204 no Content-Length either (8.6).
bool has_no_content(int status) {
  return status < 200 || status == 204 || status == 304;
}

}  // namespace

bool is_writable(const Response& response) {
  if (response.status < 200 || response.status > 599 || !is_field_text(response.content_type)) return false;
  return std::all_of(response.headers.begin(), response.headers.end(),
                     [](const auto& field) { return is_field_name(field.first) && is_field_text(field.second); });
}

void write_response(std::string& to, const Response& response, Persistence persistence, BodyUse body_use, std::string_view date,
                    std::string_view request_id) {
  const bool content = !has_no_content(response.status);
  to.reserve(to.size() + 256 + response.body.size());
  to.append("HTTP/1.1 ");
  append_number(to, static_cast<std::size_t>(response.status));
  to.push_back(' ');
  to.append(reason_phrase(response.status));
  to.append("\r\n");
  const auto dated = std::find_if(response.headers.begin(), response.headers.end(),
                                  [](const auto& field) { return equal_ignoring_case("date", field.first); });
  append_field(to, "Date", dated == response.headers.end() ? date : std::string_view(dated->second));
  if (content && !response.content_type.empty()) append_field(to, "Content-Type", response.content_type);
  for (const auto& [name, value] : response.headers) {
    if (!is_engine_header(name)) append_field(to, name, value);
  }
  if (content) {
    to.append("Content-Length: ");
    append_number(to, response.body.size());
    to.append("\r\n");
  }
  if (!request_id.empty()) append_field(to, "X-Request-Id", request_id);
  if (persistence == Persistence::close) to.append("Connection: close\r\n");
  if (persistence == Persistence::keep_and_tell) to.append("Connection: keep-alive\r\n");
  to.append("\r\n");
  if (content && body_use == BodyUse::send) to.append(response.body);
}

std::string format_http_date(std::time_t at) {
  constexpr std::array<std::string_view, 7> kDays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  std::tm parts{};
  ::gmtime_r(&at, &parts);
  std::array<char, 40> text;
  const int size = std::snprintf(
      text.data(), text.size(), "%s, %02d %s %04d %02d:%02d:%02d GMT", kDays[static_cast<std::size_t>(parts.tm_wday)].data(), parts.tm_mday,
      kMonths[static_cast<std::size_t>(parts.tm_mon)].data(), parts.tm_year + 1900, parts.tm_hour, parts.tm_min, parts.tm_sec);
  return std::string(text.data(), static_cast<std::size_t>(std::clamp(size, 0, static_cast<int>(text.size()) - 1)));
}

}  // namespace birthmark::net
