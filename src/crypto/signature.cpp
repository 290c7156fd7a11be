// SPDX-License-Identifier: Apache-2.0
#include "crypto/signature.h"

#include "crypto/openssl.h"

namespace birthmark::crypto {
namespace {

const EVP_MD* digest_of(core::SignatureScheme scheme) {
  switch (scheme) {
    case core::SignatureScheme::ecdsa_sha384: return EVP_sha384();
    case core::SignatureScheme::ecdsa_sha512: return EVP_sha512();
    case core::SignatureScheme::ecdsa_sha256:
    case core::SignatureScheme::rsa_pkcs1_sha256: break;
  }
  return EVP_sha256();
}

}  // namespace

Result<bool> verify_signature(ByteView spki_der, core::SignatureScheme scheme, ByteView message, ByteView signature) {
  const unsigned char* at = spki_der.data();
  const PkeyHandle key(d2i_PUBKEY(nullptr, &at, static_cast<long>(spki_der.size())));
  if (!key) return openssl_failure(ErrorCode::invalid, "the public key cannot be read");
  const DigestContextHandle context(EVP_MD_CTX_new());
  if (!context || EVP_DigestVerifyInit(context.get(), nullptr, digest_of(scheme), nullptr, key.get()) != 1)
    return openssl_failure(ErrorCode::internal, "the signature cannot be checked");
  const int verdict = EVP_DigestVerify(context.get(), signature.data(), signature.size(), message.data(), message.size());
  if (verdict != 1) ERR_clear_error();
  return verdict == 1;
}

}  // namespace birthmark::crypto
