// SPDX-License-Identifier: Apache-2.0
// Port: who signed a certificate that did not come over TLS, where libssl would have found out. Adapter: crypto/pki/certificate.
#pragma once

#include "base/bytes.h"

namespace birthmark::core {

class CertificateVerifier {
 public:
  virtual ~CertificateVerifier() = default;
  // Both DER. Issuer name and signature fit; dates and usages are not asked. false for what cannot be read.
  [[nodiscard]] virtual bool is_signed_by(ByteView certificate, ByteView issuer) const = 0;
};

}  // namespace birthmark::core
