// SPDX-License-Identifier: Apache-2.0
// The machine's clocks behind the Clock port.
#pragma once

#include <ctime>

#include "core/ports/clock.h"

namespace birthmark::app {

class SystemClock final : public core::Clock {
 public:
  [[nodiscard]] Instant now() const override { return Instant(read(CLOCK_REALTIME)); }
  // BOOTTIME goes on while the machine sleeps, so a suspended laptop is no jump.
  [[nodiscard]] Duration uptime() const override { return read(CLOCK_BOOTTIME); }

 private:
  static Duration read(clockid_t clock) {
    timespec time{};
    ::clock_gettime(clock, &time);
    return std::chrono::duration_cast<Duration>(std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec));
  }
};

}  // namespace birthmark::app
