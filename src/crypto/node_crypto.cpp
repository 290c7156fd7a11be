// SPDX-License-Identifier: Apache-2.0
#include "crypto/node_crypto.h"

#include <sys/stat.h>

#include "base/ecdsa_signature.h"
#include "base/file.h"
#include "crypto/openssl.h"
#include "crypto/p256_verifier.h"
#include "crypto/signature.h"

namespace birthmark::crypto {
namespace {

using CipherContextHandle = std::unique_ptr<EVP_CIPHER_CTX, Freer<EVP_CIPHER_CTX_free>>;

constexpr std::size_t kP256Point = 65, kP256Prefix = 26;  // of a SubjectPublicKeyInfo (RFC 5480)
constexpr std::size_t kP384Point = 97, kP384Prefix = 23;
constexpr std::size_t kP256Raw = 64, kP384Raw = 96;
constexpr std::size_t kNonce = 12, kTag = 16;

bool is_p256(ByteView spki) {
  return spki.size() == kP256Prefix + kP256Point && spki[kP256Prefix] == 0x04U;
}
bool is_p384(ByteView spki) {
  return spki.size() == kP384Prefix + kP384Point && spki[kP384Prefix] == 0x04U;
}

class OpensslNodeCrypto final : public core::NodeCrypto {
 public:
  OpensslNodeCrypto(const SealingKey& key, core::Random& random) : key_(key), random_(random) {}
  ~OpensslNodeCrypto() override { OPENSSL_cleanse(key_.data(), key_.size()); }

  bool verify_raw(ByteView spki_der, ByteView message, ByteView raw) const override {
    const std::size_t wanted = is_p256(spki_der) ? kP256Raw : is_p384(spki_der) ? kP384Raw : 0;
    if (wanted == 0 || raw.size() != wanted) return false;
    return verify_der(spki_der, message, ecdsa_to_der(raw));
  }

  bool verify_der(ByteView spki_der, ByteView message, ByteView der) const override {
    if (is_p256(spki_der)) return verify_p256(spki_der.subspan(kP256Prefix), message, der) == SignatureVerdict::good;
    // Other keys are rare enough for the slow way. EVE hashes with SHA-256 on every curve.
    const auto good = verify_signature(spki_der, core::SignatureScheme::ecdsa_sha256, message, der);
    return good && *good;
  }

  Result<Bytes> seal(ByteView secret, std::string_view label) const override {
    Bytes sealed(kNonce + secret.size() + kTag);
    BIRTHMARK_CHECK(random_.fill(std::span(sealed).first(kNonce)));
    const CipherContextHandle context(EVP_CIPHER_CTX_new());
    int size = 0;
    const bool good =
        context && EVP_EncryptInit_ex2(context.get(), EVP_aes_256_gcm(), key_.data(), sealed.data(), nullptr) == 1 &&
        EVP_EncryptUpdate(context.get(), nullptr, &size, as_bytes(label).data(), static_cast<int>(label.size())) == 1 &&
        EVP_EncryptUpdate(context.get(), sealed.data() + kNonce, &size, secret.data(), static_cast<int>(secret.size())) == 1 &&
        EVP_EncryptFinal_ex(context.get(), sealed.data() + kNonce + secret.size(), &size) == 1 &&
        EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_GET_TAG, kTag, sealed.data() + kNonce + secret.size()) == 1;
    if (!good) return openssl_failure(ErrorCode::internal, "sealing failed");
    return sealed;
  }

  Result<Bytes> open(ByteView sealed, std::string_view label) const override {
    if (sealed.size() < kNonce + kTag) return fail(ErrorCode::invalid, "the sealed value is cut off");
    const ByteView body = sealed.subspan(kNonce, sealed.size() - kNonce - kTag);
    Bytes tag = to_bytes(sealed.last(kTag));
    Bytes secret(body.size() + 1);  // never empty: OpenSSL takes a null pointer for "associated data"
    const CipherContextHandle context(EVP_CIPHER_CTX_new());
    int size = 0;
    const bool good = context && EVP_DecryptInit_ex2(context.get(), EVP_aes_256_gcm(), key_.data(), sealed.data(), nullptr) == 1 &&
                      EVP_DecryptUpdate(context.get(), nullptr, &size, as_bytes(label).data(), static_cast<int>(label.size())) == 1 &&
                      EVP_DecryptUpdate(context.get(), secret.data(), &size, body.data(), static_cast<int>(body.size())) == 1 &&
                      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_SET_TAG, kTag, tag.data()) == 1 &&
                      EVP_DecryptFinal_ex(context.get(), secret.data() + body.size(), &size) == 1;
    if (!good) return openssl_failure(ErrorCode::invalid, "a sealed value does not open: it was changed, or sealed with another key");
    secret.resize(body.size());
    return secret;
  }

 private:
  SealingKey key_;
  core::Random& random_;
};

}  // namespace

Result<SealingKey> load_or_make_sealing_key(const std::filesystem::path& path, core::Random& random) {
  SealingKey key{};
  struct stat facts{};
  if (::stat(path.c_str(), &facts) == 0) {
    if ((facts.st_mode & (S_IRWXG | S_IRWXO)) != 0)
      return fail(ErrorCode::misconfigured, "The key file " + path.string() + " is open to group or others: chmod 0400 it.");
    BIRTHMARK_TRY(std::string contents, read_file(path));
    if (contents.size() != key.size()) return fail(ErrorCode::misconfigured, "The key file " + path.string() + " is not 32 octets long.");
    std::copy(contents.begin(), contents.end(), key.begin());
    OPENSSL_cleanse(contents.data(), contents.size());
    return key;
  }
  BIRTHMARK_CHECK(random.fill(key));
  const Status made = create_file(path, as_text(key), 0400);
  if (!made && made.error().code == ErrorCode::conflict) return load_or_make_sealing_key(path, random);
  if (!made) return tl::make_unexpected(made.error());
  return key;
}

std::unique_ptr<core::NodeCrypto> make_node_crypto(const SealingKey& key, core::Random& random) {
  return std::make_unique<OpensslNodeCrypto>(key, random);
}

}  // namespace birthmark::crypto
