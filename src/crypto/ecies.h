// SPDX-License-Identifier: Apache-2.0
// ECIES as fioconfig decrypts it (protocol facts, gateway 3.3): secrets for one device, readable with its private key alone. Binds the
// value to nothing else.
#pragma once

#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/openssl.h"

namespace birthmark::crypto {

// Standard base64 on one line. The key is a SubjectPublicKeyInfo on P-256, P-384 or P-521. An empty text is a value too.
[[nodiscard]] Result<std::string> encrypt_for_device(ByteView spki_der, std::string_view text);

// The two parts, for test vectors and for a device's side: ephemeral key and IV are given, and what comes out is raw octets.
[[nodiscard]] Result<Bytes> ecies_encrypt(EVP_PKEY* recipient, EVP_PKEY* ephemeral, ByteView iv, ByteView text);
// `message` may be anything.
[[nodiscard]] Result<Bytes> ecies_decrypt(EVP_PKEY* recipient, ByteView message);

}  // namespace birthmark::crypto
