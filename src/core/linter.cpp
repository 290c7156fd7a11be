// SPDX-License-Identifier: Apache-2.0
#include "core/linter.h"

#include <algorithm>
#include <array>

namespace birthmark::core {
namespace {

struct Subject {
  const CertificatePlan& plan;
  const DeviceAuthority& issuer;
  const TrustSnapshot& trust;
};

struct Rule {
  std::string_view clause;
  bool (*holds)(const Subject&);
};

bool key_is_of_an_authority(const Subject& s) {
  return std::any_of(s.trust.device_authorities.begin(), s.trust.device_authorities.end(),
                     [&](const DeviceAuthority& ca) { return ca.facts.spki_sha256 == s.plan.spki_sha256; });
}

constexpr std::size_t kMinSerialOctets = 8;  // at least 64 bits, CA/Browser Forum 7.1 and DESIGN

constexpr std::array<Rule, 9> kRules{{
    {"RFC 5280 4.1.2.2: serial number positive, long enough, at most 20 octets",
     [](const Subject& s) {
       const std::size_t octets = s.plan.serial.der_contents().size();
       return octets >= kMinSerialOctets && octets <= Serial::kMaxOctets;
     }},
    {"RFC 5280 4.1.2.4: issuer is the subject of the signing CA, and not empty",
     [](const Subject& s) { return s.plan.issuer_subject_der.size() > 2 && s.plan.issuer_subject_der == s.issuer.facts.subject_der; }},
    {"RFC 5280 4.1.2.5: validity is not empty", [](const Subject& s) { return s.plan.not_before < s.plan.not_after; }},
    {"the certificate does not outlive its issuer", [](const Subject& s) { return s.plan.not_after <= s.issuer.facts.not_after; }},
    {"the certificate is not older than its issuer", [](const Subject& s) { return s.plan.not_before >= s.issuer.facts.not_before; }},
    {"RFC 5280 4.1.2.6: subject is not empty and not the issuer's",
     [](const Subject& s) { return s.plan.subject_der.size() > 2 && s.plan.subject_der != s.plan.issuer_subject_der; }},
    {"RFC 5280 4.2.1.1: authorityKeyIdentifier names a key", [](const Subject& s) { return !s.plan.issuer_key_id.empty(); }},
    {"RFC 5280 4.2.1.9: the issuer is a CA", [](const Subject& s) { return s.issuer.facts.is_ca; }},
    {"a device never holds a CA's key", [](const Subject& s) { return !key_is_of_an_authority(s); }},
}};

}  // namespace

Result<SigningPermit> Linter::permit(CertificatePlan plan, const DeviceAuthority& issuer, const TrustSnapshot& trust) {
  const Subject subject{plan, issuer, trust};
  for (const Rule& rule : kRules) {
    if (!rule.holds(subject))
      return fail(ErrorCode::internal, "the certificate was not signed: it would break a rule", std::string(rule.clause));
  }
  return SigningPermit(std::move(plan));
}

}  // namespace birthmark::core
