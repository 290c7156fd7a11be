// SPDX-License-Identifier: Apache-2.0
// The one way for a device into the gateway and EST: its certificate is judged, its identity found or made, its key compared. A verdict is
// remembered until anything that it rests on changes (the trust epoch), so a device that comes again costs one look-up. Safe from every
// thread.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <variant>
#include <vector>

#include "core/clock_guard.h"
#include "core/gateway_policy.h"
#include "core/identity_queue.h"
#include "core/ports/field_log.h"
#include "core/ports/key_changes.h"
#include "core/refusal_journal.h"

namespace birthmark::core {

// A device that is in, as of one trust epoch. Immutable.
struct AdmittedDevice {
  DeviceIdentity identity;
  RowId row = 0;
  std::string name;
  std::string group;
  bool production = false;  // as its certificate says
  Instant created_at;
  std::optional<Instant> last_seen;  // before this visit
  SpkiHash key;
  Bytes spki_der;
  Bytes subject_der;
  Fingerprint fingerprint;
  RowId issuer = 0;
  Instant not_after;
  std::uint64_t epoch = 0;
};

// Somebody who may says that a device with this certificate is one of the factory's.
struct Introduction {
  Bytes certificate_der;
  std::string name;     // empty: the device id
  std::string group;    // empty: none
  std::string station;  // who says so
  std::string peer_address;
};

using GatewayOutcome = std::variant<std::shared_ptr<const AdmittedDevice>, Refusal>;

struct GatewayStatistics {
  std::uint64_t admitted = 0;  // verdicts reached, not remembered ones
  std::uint64_t created = 0;
  std::uint64_t rekeyed = 0;
  std::uint64_t refused = 0;
};

class DeviceGate {
 public:
  // Everything handed in must outlive it.
  DeviceGate(const X509Codec& codec, Registry& registry, KeyChanges& keys, FieldLog& field, TrustStore& trust, ClockGuard& clock,
             Random& random, GatewayRules rules)
      : codec_(codec), registry_(registry), keys_(keys), field_(field), trust_(trust), clock_(clock), random_(random), rules_(rules) {}

  [[nodiscard]] const GatewayRules& rules() const { return rules_; }
  // A verdict that still holds; null when admit() has to be asked.
  [[nodiscard]] std::shared_ptr<const AdmittedDevice> remembered(const Fingerprint& fingerprint, Instant now);
  [[nodiscard]] Task<GatewayOutcome> admit(const PresentedCertificate& presented, const std::string& peer_address);
  // Makes the device whose certificate was made elsewhere, before it comes itself. What is there already, denied or of another factory is
  // refused; nothing: it is there now.
  [[nodiscard]] Task<std::optional<Refusal>> introduce(const Introduction& introduction, const CertificateVerifier& verifier);
  // For a peer that showed no certificate.
  [[nodiscard]] Task<Refusal> refuse_without_certificate(const std::string& peer_address);

  // The device says which key it will come with next (PATCH /device). The current one stays good until then.
  [[nodiscard]] Task<Status> announce_key(const AdmittedDevice& device, SpkiHash next);

  [[nodiscard]] GatewayStatistics statistics() const { return {admitted_, created_, rekeyed_, refused_}; }

 private:
  struct Introduced {};
  struct FingerprintHash {
    std::size_t operator()(const Fingerprint& fingerprint) const;
  };
  using Memory = std::unordered_map<Fingerprint, std::shared_ptr<const AdmittedDevice>, FingerprintHash>;
  // What one try comes to; nothing when the state changed underneath it.
  using Attempt = std::optional<GatewayOutcome>;

  [[nodiscard]] Task<GatewayOutcome> admit_in_turn(const PresentedCertificate& presented, const CertificateFacts& facts,
                                                   const std::string& peer_address);
  [[nodiscard]] Task<Attempt> attempt(const PresentedCertificate& presented, const CertificateFacts& facts,
                                      const std::string& peer_address);
  [[nodiscard]] Task<Attempt> record_first_contact(const PresentedCertificate& presented, const CertificateFacts& facts,
                                                   const DeviceClaim& claim, std::optional<DeviceRecord> known,
                                                   std::shared_ptr<const TrustSnapshot> trust, const std::string& peer_address);
  [[nodiscard]] Task<Attempt> switch_key(const PresentedCertificate& presented, const CertificateFacts& facts, const DeviceClaim& claim,
                                         DeviceRecord known, std::shared_ptr<const TrustSnapshot> trust, const std::string& peer_address);
  // Nothing: the state changed underneath it.
  [[nodiscard]] Task<std::optional<std::variant<Introduced, Refusal>>> try_to_introduce(const Introduction& introduction,
                                                                                        const CertificateFacts& facts,
                                                                                        const CertificateVerifier& verifier);
  // Records a certificate made elsewhere; under its fingerprint where another one has its serial.
  [[nodiscard]] Task<Result<RecordOutcome>> record_foreign(IssuanceRecord& record, const Fingerprint& fingerprint, Preconditions expected,
                                                           const std::string& peer_address);
  [[nodiscard]] Result<IssuanceRecord> record_of(const PresentedCertificate& presented, const CertificateFacts& facts,
                                                 const DeviceClaim& claim, const std::optional<DeviceRecord>& known, Instant now);
  [[nodiscard]] Result<bool> was_announced(const DeviceIdentity& identity, const SpkiHash& key);
  [[nodiscard]] std::shared_ptr<const AdmittedDevice> let_in(const PresentedCertificate& presented, const CertificateFacts& facts,
                                                             const DeviceClaim& claim, const DeviceRecord& known, std::uint64_t epoch);
  [[nodiscard]] Task<Refusal> refuse(Refusal refusal, const std::string& peer_address);

  const X509Codec& codec_;
  Registry& registry_;
  KeyChanges& keys_;
  FieldLog& field_;
  TrustStore& trust_;
  ClockGuard& clock_;
  Random& random_;
  const GatewayRules rules_;
  IdentityQueue queue_;
  RefusalJournal journal_;
  std::mutex mutex_;
  Memory young_;  // when full it becomes old_, and what was old is forgotten
  Memory old_;
  std::atomic<std::uint64_t> admitted_{0}, created_{0}, rekeyed_{0}, refused_{0};
};

// What the audit says of a certificate that became, or will become, a device's (audit_verifier relies on these names).
[[nodiscard]] std::string device_audit_body(AuditEvent event, const IssuanceRecord& record, const Fingerprint& fingerprint,
                                            const std::string& peer_address);

// The owner of a device's own field logs.
[[nodiscard]] FieldKey device_field(const DeviceIdentity& identity, std::string kind);

}  // namespace birthmark::core
