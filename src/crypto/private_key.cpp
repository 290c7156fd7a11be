// SPDX-License-Identifier: Apache-2.0
#include "crypto/private_key.h"

#include <fcntl.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/encoder.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "base/file.h"
#include "base/pem.h"
#include "crypto/digest.h"
#include "crypto/signature_schemes.h"

namespace birthmark::crypto {
namespace {

using core::SignatureScheme;
using EncoderHandle = std::unique_ptr<OSSL_ENCODER_CTX, Freer<OSSL_ENCODER_CTX_free>>;

constexpr std::size_t kKeyFileLimit = 64U << 10U;
constexpr int kMinimumRsaBits = 2048;
constexpr int kMaximumRsaBits = 16384;

// Wipes a buffer that held key material when the scope ends, whichever way it ends.
template <class Buffer>
class Wiper {
 public:
  explicit Wiper(Buffer& buffer) : buffer_(buffer) {}
  ~Wiper() { OPENSSL_cleanse(buffer_.data(), buffer_.size()); }
  Wiper(const Wiper&) = delete;
  Wiper& operator=(const Wiper&) = delete;

 private:
  Buffer& buffer_;
};

Result<SignatureScheme> scheme_for(EVP_PKEY* key) {
  if (EVP_PKEY_is_a(key, "RSA") == 1) {
    const int bits = EVP_PKEY_get_bits(key);
    if (bits < kMinimumRsaBits || bits > kMaximumRsaBits) return fail(ErrorCode::invalid, "RSA private keys need at least 2048 bits.");
    return SignatureScheme::rsa_pkcs1_sha256;
  }
  std::array<char, 80> name{};
  std::size_t length = 0;
  if (EVP_PKEY_is_a(key, "EC") != 1 || EVP_PKEY_get_group_name(key, name.data(), name.size(), &length) != 1) {
    ERR_clear_error();
    return fail(ErrorCode::invalid, "Private keys must be EC with a named curve, or RSA.");
  }
  const std::string_view curve(name.data(), length);
  if (curve == "prime256v1") return SignatureScheme::ecdsa_sha256;
  if (curve == "secp384r1") return SignatureScheme::ecdsa_sha384;
  if (curve == "secp521r1") return SignatureScheme::ecdsa_sha512;
  return fail(ErrorCode::invalid, "EC private keys must be on P-256, P-384 or P-521, not " + std::string(curve) + ".");
}

Result<Bytes> encode_spki(EVP_PKEY* key) {
  unsigned char* encoded = nullptr;
  const int size = i2d_PUBKEY(key, &encoded);
  if (size <= 0) return openssl_failure(ErrorCode::internal, "The public key cannot be encoded.");
  Bytes spki(encoded, encoded + size);
  OPENSSL_free(encoded);
  return spki;
}

Result<PkeyHandle> decode_key(const PemBlock& block) {
  const unsigned char* at = block.contents.data();
  const auto size = static_cast<long>(block.contents.size());
  PkeyHandle key(block.label == "EC PRIVATE KEY" ? d2i_PrivateKey(EVP_PKEY_EC, nullptr, &at, size)
                                                 : d2i_AutoPrivateKey(nullptr, &at, size));
  if (!key) return openssl_failure(ErrorCode::invalid, "The private key cannot be read.");
  if (at != block.contents.data() + block.contents.size())
    return fail(ErrorCode::invalid, "Bytes follow the private key in its PEM block.");
  PkeyContextHandle context(EVP_PKEY_CTX_new_from_pkey(nullptr, key.get(), nullptr));
  if (!context || EVP_PKEY_pairwise_check(context.get()) != 1)
    return openssl_failure(ErrorCode::invalid, "The private key does not fit its public key.");
  return key;
}

// The whole file, after its mode was looked at on the descriptor that is then read: no other file can slip in between.
Result<std::string> read_private_file(const std::filesystem::path& path) {
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
  if (!file.valid()) {
    const int reason = errno;
    return fail(reason == ENOENT ? ErrorCode::not_found : ErrorCode::misconfigured,
                "Cannot open the key file " + path.string() + ": " + describe_errno(reason) + ".");
  }
  struct stat facts{};
  if (::fstat(file.get(), &facts) != 0 || !S_ISREG(facts.st_mode))
    return fail(ErrorCode::misconfigured, "The key file " + path.string() + " is no regular file.");
  if ((facts.st_mode & (S_IRWXG | S_IRWXO)) != 0)
    return fail(ErrorCode::misconfigured, "The key file " + path.string() + " is open to group or others: chmod 0400 it.");

  std::string contents(kKeyFileLimit + 1, '\0');
  std::size_t used = 0;
  while (used < contents.size()) {
    const ssize_t got = ::read(file.get(), contents.data() + used, contents.size() - used);
    if (got == 0) break;
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail(ErrorCode::misconfigured, "Cannot read the key file " + path.string() + ": " + describe_errno(errno) + ".");
    used += static_cast<std::size_t>(got);
  }
  if (used > kKeyFileLimit) return fail(ErrorCode::too_large, "The key file " + path.string() + " is too large for a key.");
  contents.resize(used);
  return contents;
}

}  // namespace

Result<PrivateKey> PrivateKey::adopt(PkeyHandle key) {
  BIRTHMARK_TRY(const SignatureScheme scheme, scheme_for(key.get()));
  BIRTHMARK_TRY(const Bytes spki, encode_spki(key.get()));
  return PrivateKey(std::move(key), SpkiHash{sha256(spki).octets}, scheme);
}

Result<PrivateKey> PrivateKey::behind(EVP_PKEY* signing, EVP_PKEY* public_half) {
  if (EVP_PKEY_up_ref(public_half) != 1) return openssl_failure(ErrorCode::internal, "The key cannot be shared.");
  BIRTHMARK_TRY(PrivateKey key, adopt(PkeyHandle(public_half)));
  if (EVP_PKEY_up_ref(signing) != 1) return openssl_failure(ErrorCode::internal, "The key cannot be shared.");
  key.public_half_ = std::move(key.key_);
  key.key_.reset(signing);
  return key;
}

Result<PrivateKey> PrivateKey::generate_p256() {
  PkeyHandle key(EVP_EC_gen("P-256"));
  if (!key) return openssl_failure(ErrorCode::internal, "No key could be made.");
  return adopt(std::move(key));
}

Result<PrivateKey> PrivateKey::from_pem(std::string_view pem) {
  BIRTHMARK_TRY(std::vector<PemBlock> blocks, decode_pem(pem));
  for (PemBlock& block : blocks) {
    const Wiper wiper(block.contents);
    if (block.label == "ENCRYPTED PRIVATE KEY") return fail(ErrorCode::invalid, "Encrypted private keys are not supported.");
    if (block.label != "EC PRIVATE KEY" && block.label != "PRIVATE KEY") continue;
    BIRTHMARK_TRY(PkeyHandle key, decode_key(block));
    return adopt(std::move(key));
  }
  return fail(ErrorCode::invalid, "There is no EC PRIVATE KEY or PRIVATE KEY block.");
}

Result<PrivateKey> PrivateKey::load(const std::filesystem::path& path) {
  BIRTHMARK_TRY(std::string pem, read_private_file(path));
  const Wiper wiper(pem);
  Result<PrivateKey> key = from_pem(pem);
  if (!key) key.error().public_message = "The key file " + path.string() + ": " + key.error().public_message;
  return key;
}

Result<std::string> PrivateKey::to_pem() const {
  if (public_half_) return fail(ErrorCode::internal, "A key in a token cannot be written to a file.");
  const char* structure = EVP_PKEY_is_a(key_.get(), "EC") == 1 ? "type-specific" : "PrivateKeyInfo";
  const EncoderHandle encoder(OSSL_ENCODER_CTX_new_for_pkey(key_.get(), EVP_PKEY_KEYPAIR, "PEM", structure, nullptr));
  unsigned char* encoded = nullptr;
  std::size_t size = 0;
  if (!encoder || OSSL_ENCODER_to_data(encoder.get(), &encoded, &size) != 1)
    return openssl_failure(ErrorCode::internal, "The private key cannot be encoded.");
  std::string pem(as_text({encoded, size}));
  OPENSSL_clear_free(encoded, size);
  return pem;
}

Result<Bytes> PrivateKey::spki_der() const {
  return encode_spki(public_half());
}

Result<Bytes> PrivateKey::sign(SignatureScheme scheme, ByteView message) const {
  const SchemeFacts& facts = facts_of(scheme);
  if (EVP_PKEY_is_a(key_.get(), facts.key_type) != 1)
    return fail(ErrorCode::internal, "This key cannot sign by that scheme.",
                std::string("the scheme needs a key of type ") + facts.key_type);
  const DigestContextHandle context(EVP_MD_CTX_new());
  std::size_t size = 0;
  if (!context || EVP_DigestSignInit_ex(context.get(), nullptr, facts.digest_name, nullptr, nullptr, key_.get(), nullptr) != 1 ||
      EVP_DigestSign(context.get(), nullptr, &size, message.data(), message.size()) != 1)
    return openssl_failure(ErrorCode::internal, "Signing failed.");
  Bytes signature(size);
  if (EVP_DigestSign(context.get(), signature.data(), &size, message.data(), message.size()) != 1)
    return openssl_failure(ErrorCode::internal, "Signing failed.");
  signature.resize(size);
  return signature;
}

}  // namespace birthmark::crypto
