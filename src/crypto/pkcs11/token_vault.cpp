// SPDX-License-Identifier: Apache-2.0
#include "crypto/pkcs11/token_vault.h"

#include "crypto/digest.h"
#include "crypto/pkcs11/provider.h"
#include "crypto/pki/pki_directory.h"

namespace birthmark::crypto::pkcs11 {
namespace {

constexpr std::string_view kRootLabel = "root-ca";

// "factory_ca.key" -> "root-ca", "est-ca.key" -> "est-ca".
std::string label_of(std::string_view key_file) {
  if (key_file == kRootKeyFile) return std::string(kRootLabel);
  if (key_file.ends_with(".key")) key_file.remove_suffix(4);
  return std::string(key_file);
}

class TokenVault final : public KeyVault {
 public:
  TokenVault(std::shared_ptr<Token> token, VaultContents contents) : token_(std::move(token)), contents_(contents) {}

  bool keeps(std::string_view key_file) const override {
    return key_file == kRootKeyFile || contents_ == VaultContents::root_and_device_cas;
  }

  // By the label alone: fioctl's builds give the root key the id 01 or 31.
  Result<std::optional<PrivateKey>> find(std::string_view key_file) override {
    Uri uri;
    uri.object = label_of(key_file);
    auto found = token_->key(uri);
    if (!found && found.error().code == ErrorCode::not_found) return std::optional<PrivateKey>();
    if (!found) return forward_error(found);
    BIRTHMARK_TRY(PrivateKey key, token_private_key(token_, *found));
    return std::optional(std::move(key));
  }

  Result<PrivateKey> make(std::string_view key_file) override {
    const std::string label = label_of(key_file);
    BIRTHMARK_TRY(const auto made, token_->make_key(label, id_for_label(label)));
    return token_private_key(token_, made);
  }

  std::string address_of(std::string_view key_file) const override {
    Uri uri = token_->uri();
    uri.object = label_of(key_file);
    return uri.text();
  }

 private:
  const std::shared_ptr<Token> token_;
  const VaultContents contents_;
};

}  // namespace

Bytes id_for_label(std::string_view label) {
  if (label == kRootLabel) return {0x01};
  const auto hash = sha256(as_bytes(label));
  return {0x42, hash.octets[0], hash.octets[1], hash.octets[2]};
}

std::shared_ptr<KeyVault> make_token_vault(std::shared_ptr<Token> token, VaultContents contents) {
  return std::make_shared<TokenVault>(std::move(token), contents);
}

}  // namespace birthmark::crypto::pkcs11
