// SPDX-License-Identifier: Apache-2.0
// The one procedure for nodes whose certificates are their own making: understood, compared with what is known, decided, and recorded in
// one transaction with the audit - nothing is issued, so nothing is linted or signed. Called by the EVE face. Safe from every thread.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <variant>

#include "core/clock_guard.h"
#include "core/enrollment.h"
#include "core/identity_queue.h"
#include "core/onboarding_policy.h"
#include "core/ports/clock.h"
#include "core/ports/nodes.h"
#include "core/refusal_journal.h"

namespace birthmark::core {

// One attempt to register. That the peer holds the onboarding key was proved before (envelope or mTLS).
struct NodeAttempt {
  Bytes onboarding_der;
  Bytes certificate_der;  // of the device
  std::string serial, soft_serial;
  std::string peer_address;
  std::string uuid = {};  // that an operator wants it to have; empty: a fresh one
};

struct Onboarded {
  NodeRecord node;
  bool replayed = false;  // it was registered exactly so before
};
using OnboardOutcome = std::variant<Onboarded, Refusal>;

// What `device_certificate` of a request comes to: the node, or why not.
enum class NodeStanding : std::uint8_t { in, unknown, released, denied, deleted };
struct KnownNode {
  NodeStanding standing = NodeStanding::unknown;
  std::optional<NodeRecord> node;  // unless unknown
};

struct OnboardingStatistics {
  std::uint64_t onboarded = 0, replayed = 0, refused = 0;
};

class Onboarder {
 public:
  // Everything handed in must outlive it.
  Onboarder(const X509Codec& codec, Registry& registry, Nodes& nodes, ClockGuard& clock, Random& random, OnboardingRules rules,
            std::string factory)
      : codec_(codec),
        registry_(registry),
        nodes_(nodes),
        clock_(clock),
        random_(random),
        rules_(std::move(rules)),
        factory_(std::move(factory)) {}

  // The authority (kControllerRole) under which nodes are recorded; 0 until the controller's PKI is there. Set by each reload.
  void set_controller(RowId authority) { controller_.store(authority); }
  [[nodiscard]] const OnboardingRules& rules() const { return rules_; }
  [[nodiscard]] const std::string& factory() const { return factory_; }

  // When it answers Onboarded, the node is on disk together with its audit record.
  [[nodiscard]] Task<OnboardOutcome> onboard(const NodeAttempt& attempt);
  // An operator names the pair himself (adam's POST /device); the onboarding certificate must be known.
  [[nodiscard]] Task<OnboardOutcome> admit(const NodeAttempt& attempt);

  // Whose certificate this is (by its hash, 32 or 16 octets). That the peer holds its key is still to be proved.
  [[nodiscard]] Result<KnownNode> identify(ByteView certificate_hash) const;
  // A node that was taken off the deny list is made anew by its first contact, so that it need not boot to register again. Only for a peer
  // that has proved its key. False when another certificate was quicker.
  [[nodiscard]] Task<Result<bool>> readmit(const NodeRecord& node, const std::string& peer_address);

  [[nodiscard]] OnboardingStatistics statistics() const { return {onboarded_, replayed_, refused_}; }

 private:
  enum class Asked : std::uint8_t { by_node, by_operator };
  using Attempt = std::optional<OnboardOutcome>;  // nothing: the state changed underneath it

  [[nodiscard]] Task<OnboardOutcome> enter(const NodeAttempt& attempt, Asked asked);
  [[nodiscard]] Task<OnboardOutcome> enter_in_turn(const NodeAttempt& attempt, const CertificateFacts& facts, const NodeSerials& serials,
                                                   Asked asked);
  [[nodiscard]] Task<Attempt> attempt_once(const NodeAttempt& attempt, const CertificateFacts& facts, const NodeSerials& serials,
                                           Asked asked);
  [[nodiscard]] Result<std::variant<std::string, Refusal>> choose_serial(const OnboardingCertificate& certificate,
                                                                         const NodeSerials& serials, Asked asked, Instant now) const;
  [[nodiscard]] Task<Attempt> record(const NodeAttempt& attempt, const CertificateFacts& facts, NodeDraft draft,
                                     std::optional<NodeRecord> known, std::uint64_t epoch, Instant now);
  [[nodiscard]] Task<OnboardOutcome> refuse(const NodeAttempt& attempt, Refusal refusal);
  void note_knock(const NodeAttempt& attempt, const Refusal& refusal, Instant now);
  [[nodiscard]] bool may_knock(Instant now);

  const X509Codec& codec_;
  Registry& registry_;
  Nodes& nodes_;
  ClockGuard& clock_;
  Random& random_;
  const OnboardingRules rules_;
  const std::string factory_;
  IdentityQueue queue_;
  RefusalJournal journal_;
  std::mutex knock_mutex_;
  Instant knock_second_;
  unsigned knocks_in_second_ = 0;
  std::atomic<RowId> controller_{0};
  std::atomic<std::uint64_t> onboarded_{0}, replayed_{0}, refused_{0};
};

}  // namespace birthmark::core
