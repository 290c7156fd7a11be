// SPDX-License-Identifier: Apache-2.0
#include "base/time.h"

#include <array>
#include <charconv>

namespace birthmark {
namespace {

struct Unit {
  char letter;
  std::int64_t ms;
};
// Largest first; format_duration takes the first that divides.
constexpr std::array<Unit, 5> kUnits{{{'y', 365LL * 86'400'000}, {'d', 86'400'000}, {'h', 3'600'000}, {'m', 60'000}, {'s', 1'000}}};

// Every audit record has three of these: written digit by digit, a tenth of what snprintf takes.
void append_digits(std::string& to, unsigned value, unsigned digits) {
  std::array<char, 8> text{};
  for (unsigned i = digits; i-- > 0; value /= 10) text[i] = static_cast<char>('0' + value % 10);
  to.append(text.data(), digits);
}

std::string format(Instant at, bool with_ms) {
  const auto day = std::chrono::floor<std::chrono::days>(at);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss time{at - day};
  std::string text;
  text.reserve(24);
  append_digits(text, static_cast<unsigned>(static_cast<int>(date.year())), 4);
  text += '-';
  append_digits(text, static_cast<unsigned>(date.month()), 2);
  text += '-';
  append_digits(text, static_cast<unsigned>(date.day()), 2);
  text += 'T';
  append_digits(text, static_cast<unsigned>(time.hours().count()), 2);
  text += ':';
  append_digits(text, static_cast<unsigned>(time.minutes().count()), 2);
  text += ':';
  append_digits(text, static_cast<unsigned>(time.seconds().count()), 2);
  if (with_ms) {
    text += '.';
    append_digits(text, static_cast<unsigned>(time.subseconds().count()), 3);
  }
  text += 'Z';
  return text;
}

// Reads exactly `digits` decimal digits.
bool take_number(std::string_view& text, std::size_t digits, int& value) {
  if (text.size() < digits) return false;
  const auto read = std::from_chars(text.data(), text.data() + digits, value);
  if (read.ec != std::errc{} || read.ptr != text.data() + digits || text.front() == '-') return false;
  text.remove_prefix(digits);
  return true;
}

bool take_character(std::string_view& text, char expected) {
  if (text.empty() || text.front() != expected) return false;
  text.remove_prefix(1);
  return true;
}

}  // namespace

std::string format_rfc3339(Instant at) {
  return format(at, false);
}
std::string format_rfc3339_ms(Instant at) {
  return format(at, true);
}

Result<Instant> parse_rfc3339(std::string_view text) {
  const auto wrong = fail(ErrorCode::invalid, "not a time of the form 2026-01-31T12:00:00Z: '" + std::string(text) + "'");
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, ms = 0;
  const bool date_and_time = take_number(text, 4, year) && take_character(text, '-') && take_number(text, 2, month) &&
                             take_character(text, '-') && take_number(text, 2, day) && take_character(text, 'T') &&
                             take_number(text, 2, hour) && take_character(text, ':') && take_number(text, 2, minute) &&
                             take_character(text, ':') && take_number(text, 2, second);
  if (!date_and_time) return wrong;
  if (take_character(text, '.') && !take_number(text, 3, ms)) return wrong;
  if (text != "Z" || hour > 23 || minute > 59 || second > 59) return wrong;
  const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok()) return wrong;
  return Instant(std::chrono::sys_days(date)) + std::chrono::hours(hour) + std::chrono::minutes(minute) + std::chrono::seconds(second) +
         Duration(ms);
}

Result<Duration> parse_duration(std::string_view text) {
  const auto wrong = fail(ErrorCode::invalid, "not a duration like 90s, 15m, 24h, 7d or 20y: '" + std::string(text) + "'");
  if (text.size() < 2) return wrong;
  std::int64_t count = 0;
  const char* const end = text.data() + text.size() - 1;
  const auto read = std::from_chars(text.data(), end, count);
  if (read.ec != std::errc{} || read.ptr != end || count < 0) return wrong;
  for (const Unit& unit : kUnits) {
    if (text.back() != unit.letter) continue;
    if (count > (1LL << 53U) / unit.ms) return wrong;
    return Duration(count * unit.ms);
  }
  return wrong;
}

std::string format_duration(Duration span) {
  for (const Unit& unit : kUnits) {
    if (span.count() != 0 && span.count() % unit.ms == 0) return std::to_string(span.count() / unit.ms) + unit.letter;
  }
  return std::to_string(span.count()) + "ms";
}

}  // namespace birthmark
