// SPDX-License-Identifier: Apache-2.0
// What operators do with onboarding certificates and with nodes that knocked; each step is audited with its actor.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/lifecycle.h"
#include "core/onboarding_policy.h"
#include "core/ports/clock.h"
#include "core/ports/nodes.h"

namespace birthmark::core {

// Whom a certificate shall let in. What is not set stays as it is, or at its default for a new one.
struct OnboardingOrder {
  std::string factory;
  Bytes der;
  std::string name;  // empty: its common name when that is free to use, otherwise the beginning of its fingerprint
  std::optional<bool> any_serial;
  std::optional<std::vector<std::string>> globs;
  std::optional<std::uint64_t> places;
  std::optional<Instant> expires_at;
  std::vector<std::string> serials;
  SerialList list = SerialList::extend;
};

class OnboardingKeeper {
 public:
  OnboardingKeeper(Nodes& nodes, const X509Codec& codec, const Clock& clock) : nodes_(nodes), codec_(codec), clock_(clock) {}

  // "*" among the serials means any. A revoked certificate is taken back into use.
  [[nodiscard]] Task<Result<OnboardingCertificate>> put(OnboardingOrder order, OperatorAct act);
  // By its name or the hex fingerprint, whole or its first 8 digits and more.
  [[nodiscard]] Result<OnboardingCertificate> named(const std::string& factory, std::string_view name) const;
  [[nodiscard]] Task<Result<OnboardingCertificate>> revoke(const std::string& factory, std::string name, OperatorAct act);
  // Announces the node that knocked: its serial goes on the list of its onboarding certificate, which becomes known if it was not.
  [[nodiscard]] Task<Result<OnboardingCertificate>> accept(Knock knock, OnboardingRules rules, OperatorAct act);

 private:
  [[nodiscard]] std::string name_for(const OnboardingOrder& order, const CertificateFacts& facts,
                                     const std::vector<OnboardingCertificate>& others) const;

  Nodes& nodes_;
  const X509Codec& codec_;
  const Clock& clock_;
};

}  // namespace birthmark::core
