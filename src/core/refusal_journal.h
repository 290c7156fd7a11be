// SPDX-License-Identifier: Apache-2.0
// Which refusals are chained into the audit: the first per identity, reason, peer and minute; the rest is counted into the next one.
// Has a quota of its own, so that a flood of refusals neither fills the disk nor delays an issuance.
#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

#include "base/time.h"
#include "core/enrollment.h"

namespace birthmark::core {

class RefusalJournal {
 public:
  // The audit body to append for this refusal, or nothing when it is only counted.
  [[nodiscard]] std::optional<std::string> note(const Refusal& refusal, const Enrollment& enrollment, const std::string& factory,
                                                Instant now);

 private:
  struct Seen {
    Instant since;
    std::uint64_t repeats = 0;
  };
  [[nodiscard]] bool within_quota(Instant now);
  void forget_old(Instant now);

  std::mutex mutex_;
  std::unordered_map<std::string, Seen> seen_;
  std::uint64_t uncounted_ = 0;  // refusals that had no entry of their own since the last written one
  Instant second_;
  unsigned written_in_second_ = 0;
};

}  // namespace birthmark::core
