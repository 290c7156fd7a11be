// SPDX-License-Identifier: Apache-2.0
// Checks a signature by a public key. Not for the hot path.
#pragma once

#include "base/bytes.h"
#include "base/result.h"
#include "core/certificate.h"

namespace birthmark::crypto {

// Whether `signature` (DER) over `message` is by the key in `spki_der`. An unreadable key is an error, a wrong signature is false.
[[nodiscard]] Result<bool> verify_signature(ByteView spki_der, core::SignatureScheme scheme, ByteView message, ByteView signature);

}  // namespace birthmark::crypto
