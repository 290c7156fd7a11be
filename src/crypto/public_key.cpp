// SPDX-License-Identifier: Apache-2.0
#include "crypto/public_key.h"

#include <array>

#include "base/pem.h"
#include "crypto/digest.h"
#include "crypto/openssl.h"

namespace birthmark::crypto {
namespace {

constexpr int kLeastRsaBits = 2048;

Status check_kind(EVP_PKEY* key, bool allow_rsa) {
  if (EVP_PKEY_is_a(key, "RSA") == 1) {
    if (!allow_rsa) return fail(ErrorCode::invalid, "it is an RSA key, and registration.allow_rsa is not set");
    if (EVP_PKEY_get_bits(key) < kLeastRsaBits) return fail(ErrorCode::invalid, "it is an RSA key of less than 2048 bits");
    return {};
  }
  std::array<char, 32> group{};
  const bool named = EVP_PKEY_is_a(key, "EC") == 1 && EVP_PKEY_get_group_name(key, group.data(), group.size(), nullptr) == 1;
  const std::string_view name(group.data());
  if (named && (name == "prime256v1" || name == "secp384r1" || name == "secp521r1")) return {};
  return fail(ErrorCode::invalid, "it is no key of the curves P-256, P-384 or P-521");
}

}  // namespace

Result<PublicKey> read_public_key_pem(std::string_view pem, bool allow_rsa) {
  BIRTHMARK_TRY(auto block, decode_first_pem(pem));
  if (block.label != "PUBLIC KEY") return fail(ErrorCode::invalid, "it holds a " + block.label + ", not a PUBLIC KEY");
  const unsigned char* at = block.contents.data();
  const PkeyHandle key(d2i_PUBKEY(nullptr, &at, static_cast<long>(block.contents.size())));
  if (!key || at != block.contents.data() + block.contents.size())
    return openssl_failure(ErrorCode::invalid, "it holds no public key that can be read");
  BIRTHMARK_CHECK(check_kind(key.get(), allow_rsa));
  const PkeyContextHandle context(EVP_PKEY_CTX_new_from_pkey(nullptr, key.get(), nullptr));
  if (!context || EVP_PKEY_public_check(context.get()) != 1) return openssl_failure(ErrorCode::invalid, "its key is not a sound one");
  unsigned char* encoded = nullptr;
  const int size = i2d_PUBKEY(key.get(), &encoded);
  if (size <= 0) return openssl_failure(ErrorCode::internal, "a public key cannot be encoded");
  const Bytes again(encoded, encoded + size);
  OPENSSL_free(encoded);
  if (again != block.contents) return fail(ErrorCode::invalid, "its key is not encoded as DER demands");
  const Sha256Digest digest = sha256(block.contents);
  return PublicKey{std::move(block.contents), SpkiHash{digest.octets}};
}

}  // namespace birthmark::crypto
