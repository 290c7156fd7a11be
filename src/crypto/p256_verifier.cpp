// SPDX-License-Identifier: Apache-2.0
#include "crypto/p256_verifier.h"

#include <openssl/ec.h>

#include <array>

#include "crypto/digest.h"
#include "crypto/signature_schemes.h"

namespace birthmark::crypto {
namespace {

// Decoding a SubjectPublicKeyInfo into a new EVP_PKEY costs more than the verification itself in OpenSSL 3.0; replacing the public point of
// an existing key costs about a microsecond, and checks that the point lies on the curve.
struct Scratch {
  PkeyHandle key{EVP_EC_gen("P-256")};
  PkeyContextHandle context{key ? EVP_PKEY_CTX_new_from_pkey(nullptr, key.get(), nullptr) : nullptr};
};

Scratch& scratch_of_this_thread() {
  thread_local Scratch scratch;
  BIRTHMARK_ASSERT(scratch.context != nullptr);
  return scratch;
}

}  // namespace

SignatureVerdict verify_p256(ByteView point, ByteView message, ByteView signature) {
  const Scratch& scratch = scratch_of_this_thread();
  if (EVP_PKEY_set1_encoded_public_key(scratch.key.get(), point.data(), point.size()) != 1) {
    ERR_clear_error();
    return SignatureVerdict::key_not_on_curve;
  }
  std::array<std::uint8_t, EVP_MAX_MD_SIZE> room;
  const ByteView digest = hash_into(room, digest_of(core::SignatureScheme::ecdsa_sha256), message);
  // The operation starts anew after each change of the key: what an older operation remembers of it is not ours to know.
  EVP_PKEY_CTX* const context = scratch.context.get();
  const bool good =
      EVP_PKEY_verify_init(context) == 1 && EVP_PKEY_verify(context, signature.data(), signature.size(), digest.data(), digest.size()) == 1;
  if (!good) ERR_clear_error();
  return good ? SignatureVerdict::good : SignatureVerdict::wrong_signature;
}

}  // namespace birthmark::crypto
