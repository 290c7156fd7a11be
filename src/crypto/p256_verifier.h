// SPDX-License-Identifier: Apache-2.0
// Verifies ECDSA P-256/SHA-256 signatures at the cost of the primitive: one reused EVP_PKEY a thread. Called by the codec for each request.
#pragma once

#include "base/bytes.h"

namespace birthmark::crypto {

enum class SignatureVerdict { good, wrong_signature, key_not_on_curve };

// `point` is an uncompressed point of 65 octets, `message` what was signed (not its digest), `signature` an ECDSA-Sig-Value.
[[nodiscard]] SignatureVerdict verify_p256(ByteView point, ByteView message, ByteView signature);

}  // namespace birthmark::crypto
