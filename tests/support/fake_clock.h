// SPDX-License-Identifier: Apache-2.0
// A clock that stands where the test puts it.
#pragma once

#include <atomic>

#include "core/ports/clock.h"

namespace birthmark::testing {

class FakeClock final : public core::Clock {
 public:
  explicit FakeClock(Instant start) : now_ms_(to_unix_ms(start)) {}

  [[nodiscard]] Instant now() const override { return from_unix_ms(now_ms_); }
  [[nodiscard]] Duration uptime() const override { return Duration(uptime_ms_); }

  // Time passes: both clocks go on.
  void pass(Duration span) {
    now_ms_ += span.count();
    uptime_ms_ += span.count();
  }
  // Somebody sets the civil clock; no time passes.
  void jump(Duration span) { now_ms_ += span.count(); }

 private:
  std::atomic<std::int64_t> now_ms_;
  std::atomic<std::int64_t> uptime_ms_{1'000'000};
};

}  // namespace birthmark::testing
