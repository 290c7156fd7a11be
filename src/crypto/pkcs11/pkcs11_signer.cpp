// SPDX-License-Identifier: Apache-2.0
#include "crypto/pkcs11/pkcs11_signer.h"

#include "base/suspend.h"
#include "crypto/digest.h"
#include "crypto/signature_schemes.h"

namespace birthmark::crypto::pkcs11 {
namespace {

class Pkcs11Signer final : public core::Signer {
 public:
  Pkcs11Signer(std::shared_ptr<Token> token, std::shared_ptr<const TokenKey> key) : token_(std::move(token)), key_(std::move(key)) {}

  Task<Result<Bytes>> sign(core::SignatureScheme scheme, ByteView message) override {
    const char* const type = facts_of(scheme).key_type;
    if (EVP_PKEY_is_a(key_->public_half(), type) != 1)
      co_return fail(ErrorCode::internal, "This key cannot sign by that scheme.", std::string("the scheme needs a key of type ") + type);
    std::array<std::uint8_t, EVP_MAX_MD_SIZE> room;
    const ByteView digest = hash_into(room, digest_of(scheme), message);
    auto start = [this, scheme, digest](Resume<Result<Bytes>> resume) {
      auto waiting = std::make_shared<Resume<Result<Bytes>>>(std::move(resume));
      token_->sign(key_, scheme, digest, [waiting](Result<Bytes> result) { (*waiting)(std::move(result)); });
    };
    co_return co_await suspend<Result<Bytes>>(start);
  }

  SpkiHash spki_sha256() const override { return key_->spki_sha256(); }
  core::SignatureScheme default_scheme() const override { return key_->default_scheme(); }

 private:
  const std::shared_ptr<Token> token_;
  const std::shared_ptr<const TokenKey> key_;
};

}  // namespace

std::shared_ptr<core::Signer> make_pkcs11_signer(std::shared_ptr<Token> token, std::shared_ptr<const TokenKey> key) {
  return std::make_shared<Pkcs11Signer>(std::move(token), std::move(key));
}

}  // namespace birthmark::crypto::pkcs11
