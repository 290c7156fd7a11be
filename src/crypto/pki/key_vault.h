// SPDX-License-Identifier: Apache-2.0
// Where keys of a PKI are that are not in files: a token (crypto/pkcs11/token_vault). Asked by PkiDirectory in the place of a file.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "crypto/private_key.h"

namespace birthmark::crypto {

class KeyVault {
 public:
  virtual ~KeyVault() = default;
  // Whether the key that would be in this file ("factory_ca.key") is here instead.
  [[nodiscard]] virtual bool keeps(std::string_view key_file) const = 0;
  // Nothing when there is none yet.
  [[nodiscard]] virtual Result<std::optional<PrivateKey>> find(std::string_view key_file) = 0;
  [[nodiscard]] virtual Result<PrivateKey> make(std::string_view key_file) = 0;
  // Its pkcs11: URI.
  [[nodiscard]] virtual std::string address_of(std::string_view key_file) const = 0;
};

}  // namespace birthmark::crypto
