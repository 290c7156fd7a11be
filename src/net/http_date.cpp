// SPDX-License-Identifier: Apache-2.0
#include "net/http_date.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace birthmark::net {
namespace {

// "Fri, 20 Nov 2026 10:00:00 GMT": every part has its place.
constexpr std::size_t kLength = 29;
constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

std::optional<int> number(std::string_view digits, int least, int most) {
  int value = 0;
  const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (read.ec != std::errc{} || read.ptr != digits.data() + digits.size() || value < least || value > most) return std::nullopt;
  return value;
}

}  // namespace

std::optional<std::time_t> parse_http_date(std::string_view text) {
  if (text.size() != kLength || text.substr(3, 2) != ", " || text[19] != ':' || text[22] != ':') return std::nullopt;
  const std::string_view zone = text.substr(25);
  if (zone != " GMT" && zone != " UTC") return std::nullopt;
  const auto* month = std::find(kMonths.begin(), kMonths.end(), text.substr(8, 3));
  const auto day = number(text.substr(5, 2), 1, 31), year = number(text.substr(12, 4), 1970, 9999);
  const auto hour = number(text.substr(17, 2), 0, 23), minute = number(text.substr(20, 2), 0, 59);
  const auto second = number(text.substr(23, 2), 0, 60);
  if (month == kMonths.end() || !day || !year || !hour || !minute || !second) return std::nullopt;
  std::tm parts{};
  parts.tm_mday = *day;
  parts.tm_mon = static_cast<int>(month - kMonths.begin());
  parts.tm_year = *year - 1900;
  parts.tm_hour = *hour;
  parts.tm_min = *minute;
  parts.tm_sec = *second;
  return ::timegm(&parts);
}

}  // namespace birthmark::net
