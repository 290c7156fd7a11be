// SPDX-License-Identifier: Apache-2.0
// Reads PKCS#10 requests (RFC 2986) from strangers, on the hot path. Says which of three things the bytes are; verifies no signature.
#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "core/certificate.h"

namespace birthmark::crypto {

// The shape that devices send: a P-256 key and ecdsa-with-SHA256. Every view points into the bytes that were read.
struct CsrView {
  ByteView to_be_signed;  // CertificationRequestInfo
  ByteView subject;       // Name
  ByteView spki;          // SubjectPublicKeyInfo
  ByteView point;         // 65 octets, uncompressed; not yet known to lie on the curve
  ByteView signature;     // ECDSA-Sig-Value, DER
  std::vector<core::NameAttribute> attributes;
};

// Well-formed DER and PKCS#10, but with a key, a signature algorithm or a string type that only the OpenSSL API knows.
struct OtherShape {
  core::KeyAlgorithm key_algorithm = core::KeyAlgorithm::other;
};

// Not to be shown to any other parser. `reason` completes "The certificate request is malformed: ".
struct Malformed {
  std::string_view reason;
};

using CsrReading = std::variant<CsrView, OtherShape, Malformed>;

[[nodiscard]] CsrReading read_csr(ByteView der);

}  // namespace birthmark::crypto
