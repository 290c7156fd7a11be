// SPDX-License-Identifier: Apache-2.0
#include "crypto/der_time.h"

#include <array>

#include "crypto/der_writer.h"

namespace birthmark::crypto {
namespace {

using std::chrono::day;
using std::chrono::month;
using std::chrono::year;

constexpr int kFirstUtcYear = 1950;
constexpr int kFirstGeneralizedYear = 2050;
constexpr int kLastYear = 9999;

// The number in `count` decimal digits taken off `text`; nothing when there are other characters.
std::optional<unsigned> take_number(std::string_view& text, std::size_t count) {
  if (text.size() < count) return std::nullopt;
  unsigned number = 0;
  for (const char c : text.substr(0, count)) {
    if (c < '0' || c > '9') return std::nullopt;
    number = number * 10 + static_cast<unsigned>(c - '0');
  }
  text.remove_prefix(count);
  return number;
}

std::optional<unsigned> take_year(const der::Value& time, std::string_view& text) {
  if (time.tag == der::kGeneralizedTime) return take_number(text, 4);
  if (time.tag != der::kUtcTime) return std::nullopt;
  const auto two_digits = take_number(text, 2);
  if (!two_digits) return std::nullopt;
  return *two_digits >= kFirstUtcYear % 100 ? 1900 + *two_digits : 2000 + *two_digits;
}

void append_digits(Bytes& to, unsigned number, unsigned count) {
  for (unsigned unit = count == 4 ? 1000 : 10; unit != 0; unit /= 10) to.push_back(static_cast<std::uint8_t>('0' + number / unit % 10));
}

}  // namespace

std::optional<Instant> read_time(const der::Value& time) {
  std::string_view text = as_text(time.contents);
  const auto in_year = take_year(time, text);
  std::array<unsigned, 5> parts{};  // month, day, hour, minute, second
  for (unsigned& part : parts) {
    const auto number = take_number(text, 2);
    if (!number) return std::nullopt;
    part = *number;
  }
  if (!in_year || text != "Z") return std::nullopt;
  const std::chrono::year_month_day date(year(static_cast<int>(*in_year)), month(parts[0]), day(parts[1]));
  if (!date.ok() || parts[2] > 23 || parts[3] > 59 || parts[4] > 59) return std::nullopt;
  return std::chrono::sys_days(date) + std::chrono::hours(parts[2]) + std::chrono::minutes(parts[3]) + std::chrono::seconds(parts[4]);
}

bool append_time(Bytes& to, Instant at) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(at);
  const auto midnight = std::chrono::floor<std::chrono::days>(at);
  const std::chrono::year_month_day date(midnight);
  const int in_year = static_cast<int>(date.year());
  if (at != seconds || in_year < kFirstUtcYear || in_year > kLastYear) return false;
  const bool generalized = in_year >= kFirstGeneralizedYear;
  der::append_header(to, generalized ? der::kGeneralizedTime : der::kUtcTime, generalized ? 15 : 13);
  append_digits(to, static_cast<unsigned>(in_year), generalized ? 4 : 2);
  append_digits(to, static_cast<unsigned>(date.month()), 2);
  append_digits(to, static_cast<unsigned>(date.day()), 2);
  const std::chrono::hh_mm_ss clock(seconds - midnight);
  append_digits(to, static_cast<unsigned>(clock.hours().count()), 2);
  append_digits(to, static_cast<unsigned>(clock.minutes().count()), 2);
  append_digits(to, static_cast<unsigned>(clock.seconds().count()), 2);
  to.push_back('Z');
  return true;
}

}  // namespace birthmark::crypto
