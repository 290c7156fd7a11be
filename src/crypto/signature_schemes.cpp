// SPDX-License-Identifier: Apache-2.0
#include "crypto/signature_schemes.h"

#include <array>

namespace birthmark::crypto {
namespace {

using core::SignatureScheme;

constexpr std::array<std::uint8_t, 12> kEcdsaSha256 = {0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02};
constexpr std::array<std::uint8_t, 12> kEcdsaSha384 = {0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x03};
constexpr std::array<std::uint8_t, 12> kEcdsaSha512 = {0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x04};
constexpr std::array<std::uint8_t, 15> kRsaSha256 = {0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86,
                                                     0xf7, 0x0d, 0x01, 0x01, 0x0b, 0x05, 0x00};

constexpr std::array<SchemeFacts, 4> kSchemes = {{
    {SignatureScheme::ecdsa_sha256, kEcdsaSha256, "SHA256", "EC"},
    {SignatureScheme::ecdsa_sha384, kEcdsaSha384, "SHA384", "EC"},
    {SignatureScheme::ecdsa_sha512, kEcdsaSha512, "SHA512", "EC"},
    {SignatureScheme::rsa_pkcs1_sha256, kRsaSha256, "SHA256", "RSA"},
}};

}  // namespace

const SchemeFacts& facts_of(SignatureScheme scheme) {
  const auto index = static_cast<std::size_t>(scheme);
  BIRTHMARK_ASSERT(index < kSchemes.size() && kSchemes[index].scheme == scheme);
  return kSchemes[index];
}

const EVP_MD* digest_of(SignatureScheme scheme) {
  // Fetching by name costs more than hashing a CSR, so it happens once. The handles outlive every thread that signs.
  static const DigestHandle sha256(EVP_MD_fetch(nullptr, "SHA256", nullptr));
  static const DigestHandle sha384(EVP_MD_fetch(nullptr, "SHA384", nullptr));
  static const DigestHandle sha512(EVP_MD_fetch(nullptr, "SHA512", nullptr));
  switch (scheme) {
    case SignatureScheme::ecdsa_sha256:
    case SignatureScheme::rsa_pkcs1_sha256: return sha256.get();
    case SignatureScheme::ecdsa_sha384: return sha384.get();
    case SignatureScheme::ecdsa_sha512: return sha512.get();
  }
  return nullptr;
}

}  // namespace birthmark::crypto
