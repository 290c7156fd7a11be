// SPDX-License-Identifier: Apache-2.0
// Writes what a Signer signs, and joins both: the certificate of a plan, DER (RFC 5280 4.1). Decides nothing; the plan was decided, linted
// and permitted before. Subject and public key go in octet for octet as the request had them.
#pragma once

#include "base/bytes.h"
#include "base/result.h"
#include "core/certificate.h"

namespace birthmark::crypto {

[[nodiscard]] Result<Bytes> encode_to_be_signed(const core::CertificatePlan& plan);
[[nodiscard]] Bytes assemble_certificate(ByteView to_be_signed, core::SignatureScheme scheme, ByteView signature);

// Method 1 of RFC 5280 4.2.1.2: the SHA-1 of the subjectPublicKey's octets. Released fioctl writes the same, and no security rests on it.
[[nodiscard]] Result<Bytes> key_identifier(ByteView spki_der);

}  // namespace birthmark::crypto
