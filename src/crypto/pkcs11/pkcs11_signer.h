// SPDX-License-Identifier: Apache-2.0
// The Signer over a key in a token: the digest is made by the caller's thread, the signature by the token's own threads.
#pragma once

#include <memory>

#include "core/ports/signer.h"
#include "crypto/pkcs11/token.h"

namespace birthmark::crypto::pkcs11 {

[[nodiscard]] std::shared_ptr<core::Signer> make_pkcs11_signer(std::shared_ptr<Token> token, std::shared_ptr<const TokenKey> key);

}  // namespace birthmark::crypto::pkcs11
