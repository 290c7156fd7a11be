// SPDX-License-Identifier: Apache-2.0
// Port: reading and writing X.509 without deciding anything. Adapter: crypto/x509_codec. Safe to call from every thread at once.
#pragma once

#include <string_view>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"
#include "core/certificate.h"

namespace birthmark::core {

class X509Codec {
 public:
  virtual ~X509Codec() = default;

  // The first CERTIFICATE REQUEST or NEW CERTIFICATE REQUEST block of `text`, read strictly, its own signature verified.
  // Public messages begin "Unable to load PEM file." when there is no such block (a phrase the reference's own tests look for),
  // otherwise they name what is wrong.
  [[nodiscard]] virtual Result<CsrFacts> read_csr_pem(std::string_view text) const = 0;
  [[nodiscard]] virtual Result<CsrFacts> read_csr_der(ByteView der) const = 0;

  [[nodiscard]] virtual Result<CertificateFacts> read_certificate(ByteView der) const = 0;

  // TBSCertificate for the plan, DER (RFC 5280 4.1): what a Signer signs.
  [[nodiscard]] virtual Result<Bytes> encode_to_be_signed(const CertificatePlan& plan) const = 0;
  // Certificate ::= SEQUENCE { tbs, signatureAlgorithm, signature }.
  [[nodiscard]] virtual Bytes assemble_certificate(ByteView to_be_signed, SignatureScheme scheme, ByteView signature) const = 0;

  // A Name equal to `subject_der` but for businessCategory (2.5.4.15): with `category` one such attribute appended as UTF8String
  // (where there is none), without it all of them taken out.
  [[nodiscard]] virtual Result<Bytes> with_business_category(ByteView subject_der, std::string_view category) const = 0;
  [[nodiscard]] virtual Result<Bytes> without_business_category(ByteView subject_der) const = 0;

  // The key identifier of a SubjectPublicKeyInfo: SHA-1 of its subjectPublicKey bits (RFC 5280 4.2.1.2 method 1), 20 octets.
  [[nodiscard]] virtual Result<Bytes> key_identifier(ByteView spki_der) const = 0;

  [[nodiscard]] virtual Sha256Digest sha256(ByteView bytes) const = 0;
};

}  // namespace birthmark::core
