// SPDX-License-Identifier: Apache-2.0
// The private keys of one server, wherever they are: a setting names each by a path below the data directory or by a pkcs11: URI. Owns the
// tokens, opened when the first of their keys is asked for. Safe to call from every thread but those of the network: it waits for tokens.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "app/hsm_config.h"
#include "core/ports/signer.h"
#include "crypto/pkcs11/token.h"
#include "crypto/private_key.h"

namespace birthmark::app {

// Whether a setting may name a key so: a path below the data directory, or a URI that names a key.
[[nodiscard]] Status check_key_name(const std::string& name);

class KeyHouse {
 public:
  KeyHouse(std::filesystem::path directory, HsmConfig config);

  // not_found where there is no such file.
  [[nodiscard]] Result<std::shared_ptr<core::Signer>> signer(const std::string& name);
  // One of the two: a file's text, or a token's key.
  struct TlsKey {
    std::string pem;
    std::shared_ptr<evp_pkey_st> in_token;
  };
  [[nodiscard]] Result<TlsKey> tls_key(const std::string& name);
  // For what signs now and then: requests, the admin listener's certificate.
  [[nodiscard]] Result<crypto::PrivateKey> private_key(const std::string& name);
  [[nodiscard]] Result<SpkiHash> public_key(const std::string& name);

  // Why a token cannot be used now, one text for each that cannot.
  [[nodiscard]] std::vector<std::string> troubles() const;
  // Of all tokens together; nothing when none is open.
  [[nodiscard]] std::optional<crypto::pkcs11::TokenFigures> figures() const;
  // An operator asks for it (SIGHUP): PINs are read anew, and one that was refused may be tried once more.
  void try_pins();

 private:
  struct Opened {
    std::shared_ptr<crypto::pkcs11::Token> token;
    std::shared_ptr<const crypto::pkcs11::TokenKey> key;
  };
  struct HeldToken {
    std::shared_ptr<crypto::pkcs11::Token> token;
    crypto::pkcs11::Uri asked;  // where its PIN is
  };
  [[nodiscard]] Result<Opened> open(const std::string& uri);
  [[nodiscard]] Result<std::shared_ptr<const crypto::pkcs11::Pin>> pin_for(const crypto::pkcs11::Uri& uri) const;
  [[nodiscard]] Result<std::shared_ptr<crypto::pkcs11::Token>> token_for(const crypto::pkcs11::Uri& uri);

  const std::filesystem::path directory_;
  const HsmConfig config_;
  const std::shared_ptr<crypto::pkcs11::PinGuard> guard_;
  mutable std::mutex mutex_;
  std::map<std::string, HeldToken> tokens_;  // by module and what names the token
};

}  // namespace birthmark::app
