// SPDX-License-Identifier: Apache-2.0
#include "core/refusal_journal.h"

namespace birthmark::core {
namespace {

constexpr auto kInterval = std::chrono::minutes(1);
constexpr std::size_t kMaxSeen = 4096;
constexpr unsigned kWrittenPerSecond = 20;

// Whether a refusal tells an auditor something: what nobody could authenticate or what is our own state is counted and logged only.
bool belongs_in_audit(RefusalReason reason) {
  switch (reason) {
    case RefusalReason::malformed_request:
    case RefusalReason::too_many_requests:
    case RefusalReason::no_usable_issuer:
    case RefusalReason::clock_suspect:
    case RefusalReason::storage_unavailable:
    case RefusalReason::upstream_pending:
    case RefusalReason::internal: return false;
    default: return true;
  }
}

}  // namespace

bool RefusalJournal::within_quota(Instant now) {
  const Instant second = std::chrono::floor<std::chrono::seconds>(now);
  if (second != second_) {
    second_ = second;
    written_in_second_ = 0;
  }
  return ++written_in_second_ <= kWrittenPerSecond;
}

// Entries that are over and have nothing left to say go; what they counted moves on.
void RefusalJournal::forget_old(Instant now) {
  for (auto entry = seen_.begin(); entry != seen_.end();) {
    if (now - entry->second.since < kInterval) {
      ++entry;
      continue;
    }
    uncounted_ += entry->second.repeats;
    entry = seen_.erase(entry);
  }
}

std::optional<std::string> RefusalJournal::note(const Refusal& refusal, const Enrollment& enrollment, const std::string& factory,
                                                Instant now) {
  if (!belongs_in_audit(refusal.reason)) return std::nullopt;
  const std::string key = refusal.identity + '\n' + std::string(to_string(refusal.reason)) + '\n' + enrollment.origin.peer_address;
  const std::lock_guard lock(mutex_);
  std::uint64_t repeats = 0;
  if (const auto found = seen_.find(key); found != seen_.end()) {
    if (now - found->second.since < kInterval) {
      ++found->second.repeats;
      return std::nullopt;
    }
    repeats = found->second.repeats;
    seen_.erase(found);
  }
  if (seen_.size() >= kMaxSeen) forget_old(now);
  if (seen_.size() >= kMaxSeen || !within_quota(now)) {
    uncounted_ += repeats + 1;
    return std::nullopt;
  }
  seen_.emplace(key, Seen{now, 0});
  const std::uint64_t others = std::exchange(uncounted_, 0);
  return audit_body(AuditEvent::device_refused, now,
                    {{"factory", factory},
                     {"ecosystem", std::string(to_string(enrollment.ecosystem))},
                     {"id", refusal.identity},
                     {"reason", std::string(to_string(refusal.reason))},
                     {"text", refusal.audit_text.empty() ? refusal.public_text : refusal.audit_text},
                     {"station", enrollment.origin.station},
                     {"peer", enrollment.origin.peer_address},
                     {"proof", describe(enrollment.proof, enrollment.origin)},
                     {"repeats", std::to_string(repeats)},
                     {"others", std::to_string(others)}});
}

}  // namespace birthmark::core
