// SPDX-License-Identifier: Apache-2.0
// A device that is in gets its next certificate (EST, RFC 7030 4.2). With the same key it is its newest certificate at once; with another
// key it is recorded as pending, and takes over when the device first shows it. The steps are those of the one procedure.
#pragma once

#include <string>
#include <variant>

#include "core/device_gate.h"
#include "core/issuance_policy.h"
#include "core/issuer.h"

namespace birthmark::core {

struct Renewed {
  Bytes certificate_der;
  bool replayed = false;  // the same key asked again before it was used
};

class Renewer {
 public:
  // Everything handed in must outlive it. `rules` give validity and backdating.
  Renewer(const X509Codec& codec, Registry& registry, KeyChanges& keys, TrustStore& trust, ClockGuard& clock, Random& random,
          RegistrationRules rules)
      : codec_(codec),
        registry_(registry),
        keys_(keys),
        trust_(trust),
        clock_(clock),
        random_(random),
        policy_(codec, rules),
        issuer_(codec) {}

  // When it answers Renewed, the certificate is on disk together with its audit record.
  [[nodiscard]] Task<std::variant<Renewed, Refusal>> renew(const AdmittedDevice& device, ByteView csr_der, const std::string& peer_address);

 private:
  using Attempt = std::optional<std::variant<Renewed, Refusal>>;
  [[nodiscard]] Task<Attempt> attempt(const AdmittedDevice& device, const CsrFacts& csr, const std::string& peer_address);
  [[nodiscard]] std::optional<Refusal> examine(const AdmittedDevice& device, const CsrFacts& csr, const TrustSnapshot& trust) const;

  const X509Codec& codec_;
  Registry& registry_;
  KeyChanges& keys_;
  TrustStore& trust_;
  ClockGuard& clock_;
  Random& random_;
  const IssuancePolicy policy_;
  const Issuer issuer_;
};

}  // namespace birthmark::core
