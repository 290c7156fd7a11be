// SPDX-License-Identifier: Apache-2.0
// Records and revokes the certificates of stations and operators, each step with its audit record. The certificate itself is made by the
// caller (crypto/pki/site_authority) and may leave only when add() has answered.
#pragma once

#include <string>

#include "core/lifecycle.h"
#include "core/ports/clock.h"
#include "core/ports/site_certificates.h"

namespace birthmark::core {

class SiteCertificateKeeper {
 public:
  SiteCertificateKeeper(SiteCertificates& certificates, const Clock& clock) : certificates_(certificates), clock_(clock) {}

  // `certificate.created_at` is set here.
  [[nodiscard]] Task<Result<SiteCertificate>> add(SiteCertificate certificate, OperatorAct act);
  // not_found when no certificate of that holder stands.
  [[nodiscard]] Task<Result<std::uint64_t>> revoke(HolderCertificates which, OperatorAct act);

 private:
  SiteCertificates& certificates_;
  const Clock& clock_;
};

}  // namespace birthmark::core
