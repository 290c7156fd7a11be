// SPDX-License-Identifier: Apache-2.0
// The one procedure: every identity, whatever door it came through, is made here. Faces parse and render; they may not sign, store or
// decide.
#pragma once

#include <atomic>
#include <string>

#include "base/live.h"
#include "core/clock_guard.h"
#include "core/enrollment.h"
#include "core/identity_queue.h"
#include "core/issuance_policy.h"
#include "core/issuer.h"
#include "core/outbox_desk.h"
#include "core/ports/clock.h"
#include "core/ports/registry.h"
#include "core/refusal_journal.h"
#include "core/trust_store.h"

namespace birthmark::core {

struct EnrollmentStatistics {
  std::uint64_t issued = 0;
  std::uint64_t replayed = 0;
  std::uint64_t refused = 0;
  std::uint64_t conflicts = 0;  // transactions that found another state than was decided on
};

class Enroller {
 public:
  // Everything handed in must outlive it. Safe to call from every thread. Without `orders` the rules must not ask for any.
  Enroller(const X509Codec& codec, Registry& registry, TrustStore& trust, ClockGuard& clock, Random& random, RegistrationRules rules,
           Orders* orders = nullptr)
      : codec_(codec),
        registry_(registry),
        trust_(trust),
        clock_(clock),
        random_(random),
        orders_(orders),
        policy_(IssuancePolicy(codec, rules)),
        issuer_(codec) {
    BIRTHMARK_ASSERT(orders_ != nullptr || !policy_.get()->asks_orders());
  }

  // For what is decided from now on.
  void set_rules(RegistrationRules rules) {
    BIRTHMARK_ASSERT(orders_ != nullptr || !IssuancePolicy(codec_, rules).asks_orders());
    policy_.set(IssuancePolicy(codec_, rules));
  }

  // From now on what is registered is told outside too. Before the first enrollment; `desk` must outlive it.
  void set_outbox_desk(OutboxDesk& desk) { desk_ = &desk; }

  // When it answers Enrolled, the certificate is on disk together with its audit record.
  [[nodiscard]] Task<EnrollmentOutcome> enroll(const Enrollment& enrollment);

  // Logs, counts and audits an attempt that was turned away; a gate's refusals come here from outside.
  [[nodiscard]] Task<EnrollmentOutcome> refuse(const Enrollment& enrollment, Refusal refusal);

  [[nodiscard]] EnrollmentStatistics statistics() const;

 private:
  // What one attempt comes to; nothing when the state changed underneath it and it has to start again at step 2.
  using Attempt = std::optional<EnrollmentOutcome>;

  [[nodiscard]] Result<CsrFacts> understand(const Enrollment& enrollment) const;
  [[nodiscard]] Task<EnrollmentOutcome> enroll_in_turn(const Enrollment& enrollment, const Applicant& applicant, const CsrFacts& facts);
  [[nodiscard]] Task<Attempt> attempt(const Enrollment& enrollment, const Applicant& applicant, const CsrFacts& facts);
  [[nodiscard]] Task<Attempt> issue(const Enrollment& enrollment, const Applicant& applicant, Approval approval,
                                    std::shared_ptr<const TrustSnapshot> trust, std::optional<DeviceRecord> known, Instant now,
                                    const Placement* placement);
  [[nodiscard]] std::variant<Placement, Refusal> place(const IssuancePolicy& policy, const Enrollment& enrollment,
                                                       const Applicant& applicant, const CsrFacts& facts,
                                                       const std::optional<DeviceRecord>& known, Instant now);
  [[nodiscard]] Task<Status> audit_refusal(std::string body, Instant now);
  [[nodiscard]] Task<EnrollmentOutcome> enroll_with_turn(const Enrollment& enrollment, const Applicant& applicant, const CsrFacts& facts);
  [[nodiscard]] Task<EnrollmentOutcome> confirm_upstream(const Enrollment& enrollment, EnrollmentOutcome& outcome);

  const X509Codec& codec_;
  Registry& registry_;
  TrustStore& trust_;
  ClockGuard& clock_;
  Random& random_;
  Orders* const orders_;
  Live<IssuancePolicy> policy_;
  const Issuer issuer_;
  OutboxDesk* desk_ = nullptr;
  IdentityQueue queue_;
  RefusalJournal journal_;
  std::atomic<std::uint64_t> issued_{0}, replayed_{0}, refused_{0}, conflicts_{0};
};

}  // namespace birthmark::core
