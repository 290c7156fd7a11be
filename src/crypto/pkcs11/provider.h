// SPDX-License-Identifier: Apache-2.0
// A key in a token as OpenSSL takes keys: for TLS handshakes and for X509_sign. Behind it is a provider of our own, in a library context of
// its own, so that no other key of the process can ever be handed to it by mistake.
#pragma once

#include <memory>

#include "crypto/openssl.h"
#include "crypto/pkcs11/token.h"
#include "crypto/private_key.h"

namespace birthmark::crypto::pkcs11 {

// Inside an ASYNC job (libssl with SSL_MODE_ASYNC) a signature pauses the job, with a descriptor that becomes readable when it is made;
// elsewhere it waits. EC keys only. Free it before the program ends: its token ends with it.
[[nodiscard]] Result<std::shared_ptr<EVP_PKEY>> make_token_pkey(std::shared_ptr<Token> token, std::shared_ptr<const TokenKey> key);

// The same as the ceremonies take keys.
[[nodiscard]] Result<PrivateKey> token_private_key(const std::shared_ptr<Token>& token, const std::shared_ptr<const TokenKey>& key);

}  // namespace birthmark::crypto::pkcs11
