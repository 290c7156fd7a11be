// SPDX-License-Identifier: Apache-2.0
// The keys of a PKI in a token, by the labels that fioctl uses: the root's is `root-ca` (protocol facts, Foundries 1.10).
#pragma once

#include <memory>

#include "crypto/pkcs11/token.h"
#include "crypto/pki/key_vault.h"

namespace birthmark::crypto::pkcs11 {

// Which keys are in the token. fioctl's local CA key always is in a file.
enum class VaultContents : std::uint8_t { root_only, root_and_device_cas };

[[nodiscard]] std::shared_ptr<KeyVault> make_token_vault(std::shared_ptr<Token> token, VaultContents contents);

// The id of a key that Birthmark makes: 01 for `root-ca`, as fioctl's; for others four octets that follow from the label.
[[nodiscard]] Bytes id_for_label(std::string_view label);

}  // namespace birthmark::crypto::pkcs11
