// SPDX-License-Identifier: Apache-2.0
// Public keys in files, as other systems keep them. Not for the hot path.
#pragma once

#include <string_view>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"

namespace birthmark::crypto {

struct PublicKey {
  Bytes spki_der;
  SpkiHash spki_sha256;
};

// The first PUBLIC KEY block of `pem`: a point of P-256, P-384 or P-521 that is one, or RSA of 2048 bits and more where that is allowed;
// in the one encoding that DER allows, so that its hash is the one a request with this key has.
[[nodiscard]] Result<PublicKey> read_public_key_pem(std::string_view pem, bool allow_rsa);

}  // namespace birthmark::crypto
