// SPDX-License-Identifier: Apache-2.0
#include "core/clock_guard.h"

#include <algorithm>

namespace birthmark::core {

ClockGuard::ClockGuard(const Clock& clock, ClockRules rules, std::optional<Instant> mark) : clock_(clock), rules_(rules), mark_(mark) {}

std::optional<std::string> ClockGuard::judge(Instant now, Duration uptime) const {
  if (!mark_) return std::nullopt;
  if (*mark_ - now > rules_.tolerance) {
    return "the clock says " + format_rfc3339(now) + " but " + format_rfc3339(*mark_) + " was already recorded";
  }
  const Duration elapsed = mark_uptime_ ? uptime - *mark_uptime_ : rules_.downtime_limit;
  const Duration allowance = mark_uptime_ ? rules_.forward_limit : Duration::zero();
  if (now > *mark_ + elapsed + allowance) {
    return "the clock jumped forward from " + format_rfc3339(*mark_) + " to " + format_rfc3339(now);
  }
  return std::nullopt;
}

Result<Instant> ClockGuard::trusted_now() {
  const Instant now = clock_.now();
  const Duration uptime = clock_.uptime();
  const std::lock_guard lock(mutex_);
  if (auto doubt = judge(now, uptime)) {
    return fail(ErrorCode::unavailable, "the server's clock is not trusted",
                *doubt + "; set it right, or confirm it with: birthmark clock accept --reason TEXT");
  }
  mark_ = mark_ ? std::max(*mark_, now) : now;
  mark_uptime_ = uptime;
  return *mark_;
}

std::optional<std::string> ClockGuard::suspicion() const {
  const std::lock_guard lock(mutex_);
  return judge(clock_.now(), clock_.uptime());
}

void ClockGuard::accept(Instant now) {
  const std::lock_guard lock(mutex_);
  mark_ = now;
  mark_uptime_ = clock_.uptime();
}

}  // namespace birthmark::core
