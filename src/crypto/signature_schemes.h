// SPDX-License-Identifier: Apache-2.0
// The table of signature schemes: algorithm identifier, digest, key type. Whoever needs one of these facts looks here.
#pragma once

#include "base/bytes.h"
#include "core/certificate.h"
#include "crypto/openssl.h"

namespace birthmark::crypto {

struct SchemeFacts {
  core::SignatureScheme scheme;
  ByteView algorithm_identifier;  // DER AlgorithmIdentifier: ECDSA without parameters (RFC 5758 3.2), RSA with NULL (RFC 4055 5)
  const char* digest_name;
  const char* key_type;  // as EVP_PKEY_is_a takes it
};

[[nodiscard]] const SchemeFacts& facts_of(core::SignatureScheme scheme);

// The scheme's digest, fetched once for the process. Null only when the library's default provider is missing.
[[nodiscard]] const EVP_MD* digest_of(core::SignatureScheme scheme);

}  // namespace birthmark::crypto
