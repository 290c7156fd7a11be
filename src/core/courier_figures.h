// SPDX-License-Identifier: Apache-2.0
// What a courier has done since it started, and whether it is on hold.
#pragma once

#include <cstdint>
#include <string>

namespace birthmark::core {

enum class ChannelHold : std::uint8_t {
  none,
  unreachable,   // nobody answers: one message at a time tries, less and less often
  throttled,     // they asked us to wait
  unauthorized,  // until the credentials change
};

struct CourierFigures {
  std::uint64_t delivered = 0;
  std::uint64_t unverified = 0;
  std::uint64_t stopped = 0;
  std::uint64_t failed = 0;  // attempts that will be repeated
  ChannelHold hold = ChannelHold::none;
  std::string hold_reason;  // empty: it is not on hold
};

}  // namespace birthmark::core
