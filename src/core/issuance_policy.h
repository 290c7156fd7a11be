// SPDX-License-Identifier: Apache-2.0
// Decides who gets which certificate. Pure: no storage, no signing, no waiting; everything it looks at is handed in.
#pragma once

#include <optional>
#include <string>
#include <variant>

#include "core/certificate.h"
#include "core/enrollment.h"
#include "core/ports/clock.h"
#include "core/ports/orders.h"
#include "core/ports/registry.h"
#include "core/trust_store.h"

namespace birthmark::core {

// What the original server says of a serial number that is taken; its clients look for it.
inline constexpr std::string_view kGatewayExists = "Identity with this serial number exists already!";

// Who decides whether a device is a production device (businessCategory=production in its subject).
enum class ProductionRule : std::uint8_t { device, always, never, order };
[[nodiscard]] std::optional<ProductionRule> parse_production_rule(std::string_view name);

// Whether a new device needs a production order.
enum class OrderRule : std::uint8_t { off, required };
[[nodiscard]] std::optional<OrderRule> parse_order_rule(std::string_view name);

struct RegistrationRules {
  DeviceIdRule device_id = DeviceIdRule::uuid;
  ProductionRule production = ProductionRule::device;
  OrderRule orders = OrderRule::off;
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

// An applicant as its production order wants it.
struct Placement {
  Applicant applicant;
  std::optional<RowId> order;  // the order whose place it takes; empty when it needs none
  std::string order_name;
  std::string group;                 // the order's
  std::string name;                  // from the order's list; empty: what the device says
  std::optional<Duration> validity;  // instead of the configured one
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
                                                               const TrustSnapshot& trust, Instant now, Random& random,
                                                               std::optional<Duration> validity = {}) const;

  // Whether decide() has to be preceded by place().
  [[nodiscard]] bool asks_orders() const { return rules_.orders == OrderRule::required || rules_.production == ProductionRule::order; }
  // The production order on which it may register. Identities that are registered already keep their place, or need none.
  [[nodiscard]] std::variant<Placement, Refusal> place(const Applicant& applicant, const CsrFacts& facts, const Enrollment& enrollment,
                                                       const std::optional<DeviceRecord>& known, const OrderView& view, Instant now) const;

  // What the certificate will say, once it is decided that `issuer` shall sign it.
  [[nodiscard]] Result<CertificatePlan> plan(const Applicant& applicant, const CsrFacts& facts, const DeviceAuthority& issuer, Instant now,
                                             Random& random, Duration validity) const;

 private:
  [[nodiscard]] std::variant<Applicant, Refusal> examine_gateway(const CsrFacts& facts, const GatewayRequest& request,
                                                                 const std::string& factory) const;
  // What the present key of a known identity means for this attempt; fills in the preconditions of an approval.
  [[nodiscard]] std::variant<Replay, Approval, Refusal> judge_key(const Applicant& applicant, const CsrFacts& facts,
                                                                  const Enrollment& enrollment, const std::optional<DeviceRecord>& known,
                                                                  const TrustSnapshot& trust, Instant now) const;
  [[nodiscard]] Result<Applicant> as_production(Applicant applicant, const CsrFacts& facts, bool production) const;
  [[nodiscard]] bool unseen_rule_holds(const DeviceRecord& known, const Enrollment& enrollment, Instant now) const;

  const X509Codec& codec_;
  const RegistrationRules rules_;
};

}  // namespace birthmark::core
