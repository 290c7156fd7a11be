// SPDX-License-Identifier: Apache-2.0
#include "core/issuance_policy.h"

#include <algorithm>
#include <array>

#include "base/text.h"
#include "core/order_policy.h"

namespace birthmark::core {
namespace {

constexpr std::string_view kProduction = "production";

Refusal bad_request(RefusalReason reason, std::string text, std::string identity = {}) {
  return {reason, RefusalKind::bad_request, std::move(text), {}, std::move(identity)};
}

std::string join(const std::vector<std::string_view>& values) {
  std::string joined;
  for (const std::string_view value : values) {
    if (!joined.empty()) joined += ", ";
    joined += value;
  }
  return joined;
}

std::string first_name(const std::vector<std::string_view>& names) {
  return names.empty() ? std::string() : std::string(names.front());
}

// Refuses what we would certify without having checked it.
std::optional<Refusal> judge_attributes(const CsrFacts& facts) {
  for (const NameAttribute& attribute : facts.subject) {
    if (attribute.type == NameAttributeType::other) {
      return bad_request(RefusalReason::bad_subject,
                         "the CSR's subject may hold only commonName, organizationalUnitName and businessCategory");
    }
  }
  const auto categories = facts.values(NameAttributeType::business_category);
  if (categories.size() > 1 || (categories.size() == 1 && categories.front() != kProduction)) {
    return bad_request(RefusalReason::bad_subject, "the CSR's businessCategory must be 'production' or absent");
  }
  return std::nullopt;
}

// A client-supplied id must be the CSR's common name; UUIDs in any case.
bool same_id(std::string_view claimed, std::string_view common_name) {
  return claimed == common_name || (parse_uuid(claimed) && parse_uuid(claimed) == parse_uuid(common_name));
}

bool is_production(const CsrFacts& facts) {
  return !facts.values(NameAttributeType::business_category).empty();
}

bool is_key_of_an_authority(const SpkiHash& key, const TrustSnapshot& trust) {
  const auto& authorities = trust.device_authorities;
  return std::any_of(authorities.begin(), authorities.end(), [&](const DeviceAuthority& ca) { return ca.facts.spki_sha256 == key; });
}

std::optional<SpkiHash> key_of(const std::optional<DeviceRecord>& known) {
  return known ? known->current_key : std::nullopt;
}

// Six octets of time and ten random ones: unique, unguessable, and the serial index appends. The top bit is clear until the year 6429.
Result<Serial> make_serial(Instant now, Random& random) {
  std::array<std::uint8_t, 16> octets{};
  const auto ms = static_cast<std::uint64_t>(to_unix_ms(now));
  for (std::size_t i = 0; i < 6; ++i) octets[i] = static_cast<std::uint8_t>(ms >> (8U * (5U - i)));
  BIRTHMARK_CHECK(random.fill(std::span(octets).subspan(6)));
  return Serial::from_magnitude(octets);
}

Instant whole_seconds(Instant at) {
  return std::chrono::floor<std::chrono::seconds>(at);
}

bool same_attributes(const std::vector<NameAttribute>& a, const std::vector<NameAttribute>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const NameAttribute& x, const NameAttribute& y) { return x.oid == y.oid && x.value == y.value; });
}

}  // namespace

std::optional<ProductionRule> parse_production_rule(std::string_view name) {
  if (name == "device") return ProductionRule::device;
  if (name == "always") return ProductionRule::always;
  if (name == "never") return ProductionRule::never;
  if (name == "order") return ProductionRule::order;
  return std::nullopt;
}

std::optional<OrderRule> parse_order_rule(std::string_view name) {
  if (name == "off") return OrderRule::off;
  if (name == "required") return OrderRule::required;
  return std::nullopt;
}

bool IssuancePolicy::unseen_rule_applies(Proof proof) const {
  if (rules_.retry_window <= Duration::zero()) return false;
  return proof != Proof::open_network || rules_.retry_under_open_trust;
}

std::variant<Applicant, Refusal> IssuancePolicy::examine(const CsrFacts& facts, const Enrollment& enrollment,
                                                         const std::string& factory) const {
  if (enrollment.gateway) return examine_gateway(facts, *enrollment.gateway, factory);
  const auto names = facts.values(NameAttributeType::common_name);
  const std::string claimed_name = first_name(names);
  const auto units = facts.values(NameAttributeType::organizational_unit);
  if (units.size() != 1 || units.front() != factory) {
    return bad_request(RefusalReason::wrong_factory, "Invalid factory(" + join(units) + ") must be " + factory, claimed_name);
  }
  if (names.size() != 1) {
    return bad_request(RefusalReason::bad_device_id, "the CSR's subject must hold exactly one common name: the device id", claimed_name);
  }
  if (enrollment.claims.device_id && !same_id(*enrollment.claims.device_id, names.front())) {
    return bad_request(RefusalReason::bad_device_id,
                       "uuid '" + *enrollment.claims.device_id + "' is not the CSR's common name '" + claimed_name + "'", claimed_name);
  }
  auto identity = identify(factory, enrollment.ecosystem, names.front(), rules_.device_id);
  if (!identity) {
    return bad_request(RefusalReason::bad_device_id,
                       "Invalid common name '" + claimed_name + "' in the CSR: " + identity.error().public_message, claimed_name);
  }
  if (auto refusal = judge_attributes(facts)) {
    refusal->identity = identity->external_id;
    return *refusal;
  }
  const bool asked = is_production(facts);
  Applicant applicant{std::move(*identity), asked, facts.subject_der};
  // Under ProductionRule::order it is place() that decides.
  if (rules_.production == ProductionRule::device || rules_.production == ProductionRule::order) return applicant;
  auto decided = as_production(std::move(applicant), facts, rules_.production == ProductionRule::always);
  if (!decided) return bad_request(RefusalReason::bad_subject, decided.error().public_message, claimed_name);
  return std::move(*decided);
}

// The subject is ours, whatever string types the device's CSR has; it must only say the same (protocol facts, pep 5.7).
std::variant<Applicant, Refusal> IssuancePolicy::examine_gateway(const CsrFacts& facts, const GatewayRequest& request,
                                                                 const std::string& factory) const {
  auto identity = identify(factory, Ecosystem::izuma, request.serial_number, DeviceIdRule::line);
  if (!identity) return bad_request(RefusalReason::bad_device_id, identity.error().public_message, request.serial_number);
  if (facts.key_algorithm != KeyAlgorithm::ec_p256)
    return bad_request(RefusalReason::key_not_allowed, "the gateway's key must be on P-256", identity->external_id);
  if (!request.made_key && !same_attributes(facts.subject, request.subject))
    return bad_request(RefusalReason::bad_subject, "the gateway's certificate request is for another subject than it was asked for",
                       identity->external_id);
  return Applicant{std::move(*identity), false, request.subject_der};
}

// The subject as it will stand in the certificate: with or without businessCategory=production, whatever the device asked for.
Result<Applicant> IssuancePolicy::as_production(Applicant applicant, const CsrFacts& facts, bool production) const {
  applicant.production = production;
  if (production == is_production(facts)) {
    applicant.subject_der = facts.subject_der;
    return applicant;
  }
  auto subject =
      production ? codec_.with_business_category(facts.subject_der, kProduction) : codec_.without_business_category(facts.subject_der);
  if (!subject) return forward_error(subject);
  applicant.subject_der = std::move(*subject);
  return applicant;
}

std::variant<Placement, Refusal> IssuancePolicy::place(const Applicant& applicant, const CsrFacts& facts, const Enrollment& enrollment,
                                                       const std::optional<DeviceRecord>& known, const OrderView& view, Instant now) const {
  const std::string& id = applicant.identity.external_id;
  Placement placement{applicant, std::nullopt, {}, {}, {}, std::nullopt};
  std::optional<OrderRecord> order = view.claimed;
  const bool registered = known && known->status == DeviceStatus::active;
  if (known && known->status == DeviceStatus::denied) return placement;  // decide() has the answer
  if (!order && !registered) {
    auto chosen = choose_order(view, applicant.identity, enrollment.claims.hardware_id, now);
    if (const auto* reasons = std::get_if<std::string>(&chosen)) {
      if (rules_.orders == OrderRule::required) {
        return Refusal{
            RefusalReason::no_order, RefusalKind::forbidden, "Device(" + id + ") is outside every open order: " + *reasons, {}, id};
      }
    } else {
      auto& offer = std::get<OrderOffer>(chosen);
      placement.order = offer.order.row;
      if (offer.entry) placement.name = std::move(offer.entry->name);
      order = std::move(offer.order);
    }
  }
  if (order) {
    placement.order_name = order->name;
    placement.group = order->group;
    placement.validity = order->valid_for;
  }
  if (rules_.production != ProductionRule::order) return placement;
  bool production = registered ? known->production : false;
  if (order) production = order->production.value_or(is_production(facts));
  auto decided = as_production(std::move(placement.applicant), facts, production);
  if (!decided) return bad_request(RefusalReason::bad_subject, decided.error().public_message, id);
  placement.applicant = std::move(*decided);
  return placement;
}

bool IssuancePolicy::unseen_rule_holds(const DeviceRecord& known, const Enrollment& enrollment, Instant now) const {
  if (!unseen_rule_applies(enrollment.proof) || !known.certificate) return false;
  const CertificateRecord& certificate = *known.certificate;
  return certificate.delivery == Delivery::unanswered && certificate.station == enrollment.origin.station &&
         now - certificate.issued_at <= rules_.retry_window;
}

// A gateway comes with a new key each time it is provisioned: known is known, unless an operator allowed it once more.
static std::variant<Replay, Approval, Refusal> judge_gateway(const Applicant& applicant, const std::optional<DeviceRecord>& known,
                                                             const TrustSnapshot& trust, Instant now) {
  Approval approval;
  approval.preconditions.current_key = key_of(known);
  approval.preconditions.trust_epoch = trust.epoch;
  if (!known || known->status != DeviceStatus::active) return approval;
  const bool allowed = known->rekey_until && now <= *known->rekey_until;
  if (!allowed) {
    return Refusal{RefusalReason::key_conflict, RefusalKind::conflict, std::string(kGatewayExists), {}, applicant.identity.external_id};
  }
  approval.supersedes = true;
  approval.preconditions.rekey_allowed = true;
  return approval;
}

std::variant<Replay, Approval, Refusal> IssuancePolicy::judge_key(const Applicant& applicant, const CsrFacts& facts,
                                                                  const Enrollment& enrollment, const std::optional<DeviceRecord>& known,
                                                                  const TrustSnapshot& trust, Instant now) const {
  if (enrollment.gateway) return judge_gateway(applicant, known, trust, now);
  const std::string& id = applicant.identity.external_id;
  Approval approval;
  approval.preconditions.current_key = key_of(known);
  approval.preconditions.trust_epoch = trust.epoch;
  const bool same_key = known && known->current_key == facts.spki_sha256;
  if (same_key && known->certificate) {
    const auto recorded = codec_.read_certificate(known->certificate->der);
    const DeviceAuthority* issuer = trust.by_row(known->certificate->issuer);
    if (!recorded || recorded->subject_der != applicant.subject_der) {
      return Refusal{RefusalReason::identity_conflict,
                     RefusalKind::conflict,
                     "Device(" + id + ") is already registered with this key but another subject",
                     {},
                     id};
    }
    if (issuer != nullptr && issuer->record.state == AuthorityState::active && now < known->certificate->not_after) return Replay{};
  }
  if (known && known->current_key && !same_key) {
    const bool rekey_allowed = known->rekey_until && now <= *known->rekey_until;
    if (!rekey_allowed && !unseen_rule_holds(*known, enrollment, now)) {
      return Refusal{
          RefusalReason::key_conflict, RefusalKind::conflict, "Device(" + id + ") is already registered with another key", {}, id};
    }
    approval.supersedes = true;
    approval.preconditions.rekey_allowed = rekey_allowed;
    if (!rekey_allowed) approval.preconditions.unseen_certificate = known->certificate->row;
  }
  return approval;
}

std::variant<Replay, Approval, Refusal> IssuancePolicy::decide(const Applicant& applicant, const CsrFacts& facts,
                                                               const Enrollment& enrollment, const std::optional<DeviceRecord>& known,
                                                               const TrustSnapshot& trust, Instant now, Random& random,
                                                               std::optional<Duration> validity) const {
  const std::string& id = applicant.identity.external_id;
  if (known && known->status == DeviceStatus::denied) {
    return Refusal{RefusalReason::denied, RefusalKind::forbidden, "Device(" + id + ") is on the denied list", {}, id};
  }
  if (is_key_of_an_authority(facts.spki_sha256, trust)) {
    return bad_request(RefusalReason::key_not_allowed, "the CSR's key is the key of a CA", id);
  }
  auto judged = judge_key(applicant, facts, enrollment, known, trust, now);
  if (!std::holds_alternative<Approval>(judged)) return judged;
  Approval approval = std::move(std::get<Approval>(judged));
  std::string reasons;
  const bool grounded = trust.root || !trust.needs_root;
  if (!grounded) reasons = "no root certificate is installed";
  for (const DeviceAuthority& authority : trust.device_authorities) {
    if (!grounded) break;
    const auto obstacle = why_not_issuing(authority, now);
    if (!obstacle) {
      approval.issuer = &authority;
      break;
    }
    if (authority.signer) reasons += (reasons.empty() ? "" : "; ") + *obstacle;
  }
  if (approval.issuer == nullptr) {
    if (reasons.empty()) reasons = "no device CA with a key on this server is installed";
    return Refusal{
        RefusalReason::no_usable_issuer, RefusalKind::unavailable, "Factory not allowed to sign Device CSRs: " + reasons, {}, id};
  }
  auto planned = plan(applicant, facts, *approval.issuer, now, random, validity.value_or(rules_.certificate_validity));
  if (!planned)
    return Refusal{RefusalReason::internal, RefusalKind::unavailable, planned.error().public_message, planned.error().detail, id};
  approval.plan = std::move(*planned);
  return approval;
}

Result<CertificatePlan> IssuancePolicy::plan(const Applicant& applicant, const CsrFacts& facts, const DeviceAuthority& issuer, Instant now,
                                             Random& random, Duration validity) const {
  CertificatePlan plan;
  BIRTHMARK_TRY(plan.serial, make_serial(now, random));
  plan.issuer_subject_der = issuer.facts.subject_der;
  plan.issuer_key_id = issuer.facts.subject_key_id;
  if (plan.issuer_key_id.empty()) {
    BIRTHMARK_TRY(plan.issuer_key_id, codec_.key_identifier(issuer.facts.spki_der));
  }
  plan.subject_der = applicant.subject_der;
  plan.spki_der = facts.spki_der;
  plan.spki_sha256 = facts.spki_sha256;
  plan.not_before = std::max(whole_seconds(now - rules_.backdate), issuer.facts.not_before);
  plan.not_after = std::min(whole_seconds(now + validity), issuer.facts.not_after);
  plan.scheme = issuer.signer->default_scheme();
  return plan;
}

}  // namespace birthmark::core
