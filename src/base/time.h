// SPDX-License-Identifier: Apache-2.0
// Points in time and spans of it, as the project stores and prints them. Reading a clock is core/ports/clock.h's business.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace birthmark {

using Instant = std::chrono::sys_time<std::chrono::milliseconds>;
using Duration = std::chrono::milliseconds;

[[nodiscard]] inline std::int64_t to_unix_ms(Instant at) {
  return at.time_since_epoch().count();
}
[[nodiscard]] inline Instant from_unix_ms(std::int64_t ms) {
  return Instant(Duration(ms));
}

// "2026-11-20T16:05:09Z" (whole seconds) and "2026-11-20T16:05:09.123Z".
[[nodiscard]] std::string format_rfc3339(Instant at);
[[nodiscard]] std::string format_rfc3339_ms(Instant at);
[[nodiscard]] Result<Instant> parse_rfc3339(std::string_view text);

// "90s", "15m", "24h", "7d", "20y" (365 days); one number and one unit. Never negative.
[[nodiscard]] Result<Duration> parse_duration(std::string_view text);
[[nodiscard]] std::string format_duration(Duration span);  // the largest unit that divides it

}  // namespace birthmark
