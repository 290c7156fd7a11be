// SPDX-License-Identifier: Apache-2.0
// Output: uncompressed ephemeral point | IV | AES-CTR ciphertext | HMAC over IV and ciphertext.
#include "crypto/ecies.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/hmac.h>
#include <openssl/param_build.h>
#include <openssl/rand.h>

#include <array>

#include "base/text.h"

namespace birthmark::crypto {
namespace {

constexpr std::size_t kIvBytes = 16;

struct Scheme {
  const char* curve;
  std::size_t field_bytes;
  std::size_t key_bytes;  // L
  const EVP_MD* (*digest)();
  const EVP_CIPHER* (*cipher)();
  [[nodiscard]] std::size_t point_bytes() const { return 1 + (2 * field_bytes); }
};

constexpr std::array<Scheme, 3> kSchemes{{{"prime256v1", 32, 16, EVP_sha256, EVP_aes_128_ctr},
                                          {"secp384r1", 48, 24, EVP_sha384, EVP_aes_192_ctr},
                                          {"secp521r1", 66, 32, EVP_sha512, EVP_aes_256_ctr}}};

// A secret that is overwritten when it goes.
class Secret {
 public:
  explicit Secret(std::size_t size) : octets_(size) {}
  ~Secret() { OPENSSL_cleanse(octets_.data(), octets_.size()); }
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;
  [[nodiscard]] std::uint8_t* data() { return octets_.data(); }
  [[nodiscard]] ByteView view() const { return octets_; }

 private:
  Bytes octets_;
};

Result<const Scheme*> scheme_of(EVP_PKEY* key) {
  std::array<char, 64> group{};
  std::size_t size = 0;
  if (EVP_PKEY_get_group_name(key, group.data(), group.size(), &size) == 1) {
    for (const Scheme& scheme : kSchemes)
      if (std::string_view(group.data(), size) == scheme.curve) return &scheme;
  }
  ERR_clear_error();
  return fail(ErrorCode::invalid, "values can be encrypted only for keys on P-256, P-384 or P-521");
}

Result<Bytes> point_of(EVP_PKEY* key, const Scheme& scheme) {
  Bytes point(scheme.point_bytes());
  std::size_t size = 0;
  if (EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size(), &size) != 1 || size != point.size() ||
      point.front() != 4)
    return openssl_failure(ErrorCode::internal, "a public key cannot be written");
  return point;
}

Result<PkeyHandle> key_from_point(const Scheme& scheme, ByteView point) {
  const std::unique_ptr<OSSL_PARAM_BLD, Freer<OSSL_PARAM_BLD_free>> builder(OSSL_PARAM_BLD_new());
  if (!builder || OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, scheme.curve, 0) != 1 ||
      OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size()) != 1)
    return openssl_failure(ErrorCode::internal, "a public key cannot be read");
  const std::unique_ptr<OSSL_PARAM, Freer<OSSL_PARAM_free>> parameters(OSSL_PARAM_BLD_to_param(builder.get()));
  const PkeyContextHandle context(EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr));
  EVP_PKEY* key = nullptr;
  if (!parameters || !context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, parameters.get()) != 1)
    return openssl_failure(ErrorCode::invalid, "the encrypted value has no point of the key's curve");
  PkeyHandle made(key);
  const PkeyContextHandle check(EVP_PKEY_CTX_new(key, nullptr));
  if (!check || EVP_PKEY_public_check(check.get()) != 1)
    return openssl_failure(ErrorCode::invalid, "the encrypted value has no point of the key's curve");
  return made;
}

struct Keys {
  explicit Keys(const Scheme& scheme) : encryption(scheme.key_bytes), mac(static_cast<std::size_t>(EVP_MD_get_size(scheme.digest()))) {}
  Secret encryption, mac;
};

Status hash(const Scheme& scheme, std::initializer_list<ByteView> parts, std::uint8_t* to) {
  const DigestContextHandle context(EVP_MD_CTX_new());
  bool good = context && EVP_DigestInit_ex(context.get(), scheme.digest(), nullptr) == 1;
  for (const ByteView part : parts) good = good && EVP_DigestUpdate(context.get(), part.data(), part.size()) == 1;
  if (!good || EVP_DigestFinal_ex(context.get(), to, nullptr) != 1) return openssl_failure(ErrorCode::internal, "a hash failed");
  return {};
}

// K = H(00 00 00 01 | Z) cut to 2 L; the second half is hashed once more.
Status derive(const Scheme& scheme, EVP_PKEY* own, EVP_PKEY* peer, Keys& keys) {
  static constexpr std::uint8_t kCounter[] = {0, 0, 0, 1};
  const PkeyContextHandle context(EVP_PKEY_CTX_new(own, nullptr));
  Secret shared(scheme.field_bytes);
  std::size_t size = scheme.field_bytes;
  if (!context || EVP_PKEY_derive_init(context.get()) != 1 || EVP_PKEY_derive_set_peer(context.get(), peer) != 1 ||
      EVP_PKEY_derive(context.get(), shared.data(), &size) != 1 || size != scheme.field_bytes)
    return openssl_failure(ErrorCode::invalid, "the key agreement failed");
  Secret block(EVP_MAX_MD_SIZE);
  BIRTHMARK_CHECK(hash(scheme, {kCounter, shared.view()}, block.data()));
  const ByteView derived = block.view().subspan(0, 2 * scheme.key_bytes);
  std::copy_n(derived.begin(), scheme.key_bytes, keys.encryption.data());
  return hash(scheme, {derived.subspan(scheme.key_bytes)}, keys.mac.data());
}

Result<Bytes> apply_keystream(const Scheme& scheme, const Keys& keys, ByteView iv, ByteView text) {
  const std::unique_ptr<EVP_CIPHER_CTX, Freer<EVP_CIPHER_CTX_free>> context(EVP_CIPHER_CTX_new());
  Bytes out(text.size() + 1);  // never empty, so that its data is an address
  int moved = 0;
  if (!context || EVP_CipherInit_ex(context.get(), scheme.cipher(), nullptr, keys.encryption.view().data(), iv.data(), 1) != 1 ||
      (!text.empty() && EVP_CipherUpdate(context.get(), out.data(), &moved, text.data(), static_cast<int>(text.size())) != 1))
    return openssl_failure(ErrorCode::internal, "AES failed");
  out.resize(text.size());
  return out;
}

Result<Bytes> tag_of(const Scheme& scheme, const Keys& keys, ByteView message) {
  Bytes tag(EVP_MAX_MD_SIZE);
  unsigned size = 0;
  const ByteView key = keys.mac.view();
  if (HMAC(scheme.digest(), key.data(), static_cast<int>(key.size()), message.data(), message.size(), tag.data(), &size) == nullptr)
    return openssl_failure(ErrorCode::internal, "HMAC failed");
  tag.resize(size);
  return tag;
}

}  // namespace

Result<Bytes> ecies_encrypt(EVP_PKEY* recipient, EVP_PKEY* ephemeral, ByteView iv, ByteView text) {
  BIRTHMARK_TRY(const Scheme* scheme, scheme_of(recipient));
  if (iv.size() != kIvBytes) return fail(ErrorCode::internal, "an IV has 16 octets");
  Keys keys(*scheme);
  BIRTHMARK_CHECK(derive(*scheme, ephemeral, recipient, keys));
  BIRTHMARK_TRY(Bytes message, point_of(ephemeral, *scheme));
  BIRTHMARK_TRY(const Bytes encrypted, apply_keystream(*scheme, keys, iv, text));
  append(message, iv);
  append(message, encrypted);
  BIRTHMARK_TRY(const Bytes tag, tag_of(*scheme, keys, ByteView(message).subspan(scheme->point_bytes())));
  append(message, tag);
  return message;
}

Result<Bytes> ecies_decrypt(EVP_PKEY* recipient, ByteView message) {
  BIRTHMARK_TRY(const Scheme* scheme, scheme_of(recipient));
  const auto tag_bytes = static_cast<std::size_t>(EVP_MD_get_size(scheme->digest()));
  if (message.size() < scheme->point_bytes() + kIvBytes + tag_bytes || message.front() != 4)
    return fail(ErrorCode::invalid, "the encrypted value is too short, or begins with no uncompressed point");
  BIRTHMARK_TRY(const PkeyHandle ephemeral, key_from_point(*scheme, message.subspan(0, scheme->point_bytes())));
  Keys keys(*scheme);
  BIRTHMARK_CHECK(derive(*scheme, recipient, ephemeral.get(), keys));
  const ByteView sealed = message.subspan(scheme->point_bytes(), message.size() - scheme->point_bytes() - tag_bytes);
  BIRTHMARK_TRY(const Bytes tag, tag_of(*scheme, keys, sealed));
  if (CRYPTO_memcmp(tag.data(), message.last(tag_bytes).data(), tag_bytes) != 0)
    return fail(ErrorCode::invalid, "the encrypted value was made for another key, or changed");
  return apply_keystream(*scheme, keys, sealed.first(kIvBytes), sealed.subspan(kIvBytes));
}

Result<std::string> encrypt_for_device(ByteView spki_der, std::string_view text) {
  const unsigned char* at = spki_der.data();
  const PkeyHandle recipient(d2i_PUBKEY(nullptr, &at, static_cast<long>(spki_der.size())));
  if (!recipient) return openssl_failure(ErrorCode::invalid, "the device's public key cannot be read");
  BIRTHMARK_TRY(const Scheme* scheme, scheme_of(recipient.get()));
  const PkeyHandle ephemeral(EVP_EC_gen(scheme->curve));
  std::array<std::uint8_t, kIvBytes> iv{};
  if (!ephemeral || RAND_bytes(iv.data(), static_cast<int>(iv.size())) != 1)
    return openssl_failure(ErrorCode::unavailable, "there is no randomness for a key");
  BIRTHMARK_TRY(const Bytes message, ecies_encrypt(recipient.get(), ephemeral.get(), iv, as_bytes(text)));
  return to_base64(message);
}

}  // namespace birthmark::crypto
