// SPDX-License-Identifier: Apache-2.0
#include "core/gateway_policy.h"

#include <algorithm>

namespace birthmark::core {
namespace {

constexpr std::uint16_t kDigitalSignature = 1U << 0U;

Refusal forbidden(RefusalReason reason, std::string text, std::string identity = {}) {
  return {reason, RefusalKind::forbidden, std::move(text), {}, std::move(identity), {}};
}

std::string joined(const std::vector<std::string_view>& values) {
  std::string text;
  for (const std::string_view value : values) text.append(text.empty() ? "" : ", ").append(value.substr(0, 64));
  return text;
}

bool is_authority(const CertificateFacts& facts, const TrustSnapshot& trust) {
  return std::any_of(trust.device_authorities.begin(), trust.device_authorities.end(),
                     [&](const DeviceAuthority& authority) { return authority.facts.spki_sha256 == facts.spki_sha256; });
}

bool is_admitted_key(const CertificateFacts& facts, const GatewayRules& rules) {
  switch (facts.key_algorithm) {
    case KeyAlgorithm::ec_p256:
    case KeyAlgorithm::ec_p384:
    case KeyAlgorithm::ec_p521: return true;
    case KeyAlgorithm::rsa: return rules.allow_rsa;
    case KeyAlgorithm::other: return false;
  }
  return false;
}

// Protocol facts, gateway 2.2: the table. Empty when the certificate is good.
std::string_view why_wrong_profile(const CertificateFacts& facts, const GatewayRules& rules) {
  if (!is_admitted_key(facts, rules)) return "its key is of a kind that is not admitted";
  if (facts.has_extended_key_usage && !facts.client_auth) return "its extendedKeyUsage has no clientAuth";
  if (rules.profile == GatewayProfile::vendor) return {};
  if (facts.is_ca) return "it is a CA";
  if (!facts.client_auth) return "it has no extendedKeyUsage clientAuth";
  if (!facts.key_usage || (*facts.key_usage & kDigitalSignature) == 0) return "its keyUsage lacks digitalSignature";
  return {};
}

}  // namespace

std::optional<GatewayProfile> parse_gateway_profile(std::string_view name) {
  if (name == "vendor") return GatewayProfile::vendor;
  if (name == "strict") return GatewayProfile::strict;
  return std::nullopt;
}

std::optional<AutoCreate> parse_auto_create(std::string_view name) {
  if (name == "on") return AutoCreate::on;
  if (name == "registered-only") return AutoCreate::registered_only;
  if (name == "off") return AutoCreate::off;
  return std::nullopt;
}

PresentedCertificate present(ByteView der, const Fingerprint& fingerprint, const TrustSnapshot& trust,
                             const CertificateVerifier& verifier) {
  PresentedCertificate presented{der, fingerprint, 0, false};
  for (const DeviceAuthority& authority : trust.device_authorities) {
    if (!verifier.is_signed_by(der, authority.record.der)) continue;
    presented.issuer = authority.record.row;
    return presented;
  }
  presented.under_root = trust.root && verifier.is_signed_by(der, trust.root->der);
  return presented;
}

// The order is the precedence: who signed it, what it is, whose it is.
std::variant<DeviceClaim, Refusal> judge_device_certificate(const PresentedCertificate& presented, const CertificateFacts& facts,
                                                            const TrustSnapshot& trust, const GatewayRules& rules) {
  const auto names = facts.values(NameAttributeType::common_name);
  const std::string name = names.empty() ? std::string() : std::string(names.front().substr(0, 256));
  if (is_authority(facts, trust)) return forbidden(RefusalReason::is_authority, "this is the certificate of a CA, not of a device", name);
  if (presented.under_root)
    return forbidden(RefusalReason::issued_by_root, "the certificate was issued by the factory's root; devices come from device CAs", name);
  const DeviceAuthority* issuer = trust.by_row(presented.issuer);
  if (issuer == nullptr)
    return forbidden(RefusalReason::unknown_issuer, "the certificate's issuer is not a device CA of this factory", name);
  if (issuer->record.state == AuthorityState::revoked)
    return forbidden(RefusalReason::issuer_revoked, "the CA that issued the certificate is revoked", name);
  const auto units = facts.values(NameAttributeType::organizational_unit);
  if (units.size() != 1 || units.front() != trust.factory)
    return forbidden(RefusalReason::wrong_factory, "the certificate's factory(" + joined(units) + ") must be " + trust.factory, name);
  if (names.size() != 1) return forbidden(RefusalReason::bad_device_id, "the certificate must have one common name: the device id", name);
  auto identity = identify(trust.factory, Ecosystem::foundries, names.front(), rules.device_id);
  if (!identity) return forbidden(RefusalReason::bad_device_id, "the certificate's common name: " + identity.error().public_message, name);
  if (const auto wrong = why_wrong_profile(facts, rules); !wrong.empty())
    return forbidden(RefusalReason::certificate_profile, "the certificate is not for a device: " + std::string(wrong), name);
  const auto categories = facts.values(NameAttributeType::business_category);
  const bool production = std::find(categories.begin(), categories.end(), "production") != categories.end();
  return DeviceClaim{std::move(*identity), production, issuer};
}

}  // namespace birthmark::core
