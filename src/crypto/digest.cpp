// SPDX-License-Identifier: Apache-2.0
#include "crypto/digest.h"

#include <algorithm>

#include "crypto/signature_schemes.h"

namespace birthmark::crypto {

ByteView hash_into(std::span<std::uint8_t, EVP_MAX_MD_SIZE> to, const EVP_MD* digest, ByteView bytes) {
  thread_local const DigestContextHandle context(EVP_MD_CTX_new());
  BIRTHMARK_ASSERT(context != nullptr && digest != nullptr);
  unsigned size = 0;
  const bool hashed = EVP_DigestInit_ex2(context.get(), digest, nullptr) == 1 &&
                      EVP_DigestUpdate(context.get(), bytes.data(), bytes.size()) == 1 &&
                      EVP_DigestFinal_ex(context.get(), to.data(), &size) == 1;
  BIRTHMARK_ASSERT(hashed);
  return ByteView(to).first(size);
}

Sha256Digest sha256(ByteView bytes) {
  std::array<std::uint8_t, EVP_MAX_MD_SIZE> room;
  const ByteView hashed = hash_into(room, digest_of(core::SignatureScheme::ecdsa_sha256), bytes);
  Sha256Digest made;
  std::copy(hashed.begin(), hashed.end(), made.octets.begin());
  return made;
}

Sha1Digest sha1(ByteView bytes) {
  static const DigestHandle digest(EVP_MD_fetch(nullptr, "SHA1", nullptr));
  std::array<std::uint8_t, EVP_MAX_MD_SIZE> room;
  const ByteView hashed = hash_into(room, digest.get(), bytes);
  Sha1Digest made{};
  std::copy(hashed.begin(), hashed.end(), made.begin());
  return made;
}

}  // namespace birthmark::crypto
