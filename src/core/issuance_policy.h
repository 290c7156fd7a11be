// SPDX-License-Identifier: Apache-2.0
// Decides who gets which certificate. Pure: no storage, no signing, no waiting; everything it looks at is handed in.
#pragma once

#include <optional>
#include <string>
#include <variant>

#include "core/certificate.h"
#include "core/enrollment.h"
#include "core/ports/clock.h"
#include "core/ports/registry.h"
#include "core/trust_store.h"

namespace birthmark::core {

// Who decides whether a device is a production device (businessCategory=production in its subject).
enum class ProductionRule : std::uint8_t { device, always, never };
[[nodiscard]] std::optional<ProductionRule> parse_production_rule(std::string_view name);

struct RegistrationRules {
  DeviceIdRule device_id = DeviceIdRule::uuid;
  ProductionRule production = ProductionRule::device;
  Duration certificate_validity = std::chrono::hours(24 * 7300);
  Duration backdate = std::chrono::hours(1);  // of notBefore, for devices whose clock is slow
  // The unseen rule: within this time after it was issued, a certificate that never arrived may be replaced. Zero: never.
  Duration retry_window = std::chrono::hours(24);
  bool retry_under_open_trust = false;
};

// What the CSR and the claims say, checked against the rules that need no registry.
struct Applicant {
  DeviceIdentity identity;
  bool production = false;
  Bytes subject_der;  // as it will stand in the certificate
};

// The recorded certificate answers.
struct Replay {};

struct Approval {
  CertificatePlan plan;
  const DeviceAuthority* issuer = nullptr;  // lives as long as the snapshot that was handed in
  Preconditions preconditions;
  bool supersedes = false;  // the unseen rule, or an operator allowed another key
};

class IssuancePolicy {
 public:
  IssuancePolicy(const X509Codec& codec, RegistrationRules rules) : codec_(codec), rules_(rules) {}

  [[nodiscard]] const RegistrationRules& rules() const { return rules_; }
  // Whether answers have to be watched for delivery, because the unseen rule may ask later.
  [[nodiscard]] bool unseen_rule_applies(Proof proof) const;

  [[nodiscard]] std::variant<Applicant, Refusal> examine(const CsrFacts& facts, const Enrollment& enrollment,
                                                         const std::string& factory) const;

  [[nodiscard]] std::variant<Replay, Approval, Refusal> decide(const Applicant& applicant, const CsrFacts& facts,
                                                               const Enrollment& enrollment, const std::optional<DeviceRecord>& known,
                                                               const TrustSnapshot& trust, Instant now, Random& random) const;

 private:
  [[nodiscard]] bool unseen_rule_holds(const DeviceRecord& known, const Enrollment& enrollment, Instant now) const;
  [[nodiscard]] Result<CertificatePlan> plan(const Applicant& applicant, const CsrFacts& facts, const DeviceAuthority& issuer, Instant now,
                                             Random& random) const;

  const X509Codec& codec_;
  const RegistrationRules rules_;
};

}  // namespace birthmark::core
