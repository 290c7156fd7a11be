// SPDX-License-Identifier: Apache-2.0
// The clock is suspect: this decides whether the civil time may go into a certificate. A small step back is clamped; a large one, or a
// jump forward, stops issuance until the clock comes back or an operator confirms it (`birthmark clock accept`).
#pragma once

#include <mutex>
#include <optional>

#include "core/ports/clock.h"
#include "core/ports/registry.h"

namespace birthmark::core {

struct ClockRules {
  Duration tolerance = std::chrono::seconds(120);         // a step back up to this is answered with the latest time known
  Duration forward_limit = std::chrono::hours(24);        // how far civil time may run ahead of elapsed time while the server runs
  Duration downtime_limit = std::chrono::hours(24 * 90);  // how long the server may have been off: elapsed time is not known then
};

class ClockGuard {
 public:
  // `mark`: the latest time an earlier run recorded or an operator confirmed.
  ClockGuard(const Clock& clock, ClockRules rules, std::optional<Instant> mark);

  // The time to issue with: never earlier than any before it. unavailable, with the reason, while the clock is suspect.
  [[nodiscard]] Result<Instant> trusted_now();
  // What trusted_now() refuses at this moment, without moving the mark.
  [[nodiscard]] std::optional<std::string> suspicion() const;
  // An operator confirmed `now`: it is the new mark.
  void accept(Instant now);

 private:
  [[nodiscard]] std::optional<std::string> judge(Instant now, Duration uptime) const;

  const Clock& clock_;
  const ClockRules rules_;
  mutable std::mutex mutex_;
  std::optional<Instant> mark_;          // the latest trusted time
  std::optional<Duration> mark_uptime_;  // when this process saw it; empty: an earlier process did
};

}  // namespace birthmark::core
