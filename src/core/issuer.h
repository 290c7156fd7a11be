// SPDX-License-Identifier: Apache-2.0
// Spends a permit: signs exactly what was planned and proves it by reading the result back.
#pragma once

#include "base/task.h"
#include "core/certificate.h"
#include "core/ports/signer.h"
#include "core/ports/x509_codec.h"

namespace birthmark::core {

class Issuer {
 public:
  explicit Issuer(const X509Codec& codec) : codec_(codec) {}
  [[nodiscard]] Task<Result<IssuedCertificate>> sign(SigningPermit permit, Signer& signer) const;

 private:
  const X509Codec& codec_;
};

}  // namespace birthmark::core
