// SPDX-License-Identifier: Apache-2.0
// The fixed vector of the protocol facts (gateway 3.3), which the real fioconfig decrypts, and round trips on every curve.
#include "crypto/ecies.h"

#include <gtest/gtest.h>
#include <openssl/core_names.h>
#include <openssl/param_build.h>

#include <numeric>

#include "base/text.h"

namespace birthmark::crypto {
namespace {

constexpr const char* kDevicePoint =
    "04515c3d6eb9e396b904d3feca7f54fdcd0cc1e997bf375dca515ad0a6c3b4035f"
    "4536be3a50f318fbf9a5475902a221502bef0d57e08c53b2cc0a56f17d9f9354";
constexpr const char* kVector =
    "BB8UAUa/sbJR+E9N2+DUzc/Xev2YSpUg41eUAh+DErue7JlaCLH6dwTfPcwLUKlmUmP7dxH5X5+KRJxQluR8iSugoaKjpKWmp6ipqqusra6v6XuLtORxtI8kInwCj6Z2"
    "2pAcq4E6RNlPNraGlPDH+wz2brm4fQ==";

Bytes ascending(std::uint8_t first, std::size_t size) {
  Bytes made(size);
  std::iota(made.begin(), made.end(), first);
  return made;
}

// A P-256 pair of a scalar and its point.
PkeyHandle pair_of(const Bytes& scalar, ByteView point) {
  const std::unique_ptr<BIGNUM, Freer<BN_free>> number(BN_bin2bn(scalar.data(), static_cast<int>(scalar.size()), nullptr));
  const std::unique_ptr<OSSL_PARAM_BLD, Freer<OSSL_PARAM_BLD_free>> builder(OSSL_PARAM_BLD_new());
  OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0);
  OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size());
  OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_PRIV_KEY, number.get());
  const std::unique_ptr<OSSL_PARAM, Freer<OSSL_PARAM_free>> parameters(OSSL_PARAM_BLD_to_param(builder.get()));
  const PkeyContextHandle context(EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr));
  EVP_PKEY* key = nullptr;
  EXPECT_EQ(EVP_PKEY_fromdata_init(context.get()), 1);
  EXPECT_EQ(EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_KEYPAIR, parameters.get()), 1);
  return PkeyHandle(key);
}

Bytes spki_of(EVP_PKEY* key) {
  unsigned char* der = nullptr;
  const int size = i2d_PUBKEY(key, &der);
  Bytes made(der, der + size);
  OPENSSL_free(der);
  return made;
}

TEST(Ecies, TheFixedVectorIsMadeAndRead) {
  const Bytes vector = *from_base64(kVector);
  const PkeyHandle device = pair_of(ascending(0x01, 32), *from_hex(kDevicePoint));
  const PkeyHandle ephemeral = pair_of(ascending(0x21, 32), ByteView(vector).first(65));
  const auto made = ecies_encrypt(device.get(), ephemeral.get(), ascending(0xa0, 16), as_bytes("hello"));
  ASSERT_TRUE(made) << made.error().describe();
  EXPECT_EQ(to_base64(*made), kVector);
  const auto read = ecies_decrypt(device.get(), vector);
  ASSERT_TRUE(read) << read.error().describe();
  EXPECT_EQ(as_text(*read), "hello");
}

TEST(Ecies, EveryCurveAndEverySizeComesBack) {
  for (const char* curve : {"P-256", "P-384", "P-521"}) {
    const PkeyHandle device(EVP_EC_gen(curve));
    for (const std::size_t size : {0U, 1U, 15U, 16U, 17U, 100'000U}) {
      const std::string text(size, 's');
      const auto encrypted = encrypt_for_device(spki_of(device.get()), text);
      ASSERT_TRUE(encrypted) << encrypted.error().describe();
      const auto read = ecies_decrypt(device.get(), *from_base64(*encrypted));
      ASSERT_TRUE(read) << curve << ' ' << size << ' ' << read.error().describe();
      EXPECT_EQ(as_text(*read), text);
    }
  }
}

TEST(Ecies, WhatWasChangedOrMadeForAnotherIsRefused) {
  const PkeyHandle device(EVP_EC_gen("P-256")), other(EVP_EC_gen("P-256"));
  const Bytes good = *from_base64(*encrypt_for_device(spki_of(device.get()), "secret"));
  EXPECT_FALSE(ecies_decrypt(other.get(), good));
  for (std::size_t at = 0; at < good.size(); ++at) {
    Bytes changed = good;
    changed[at] = static_cast<std::uint8_t>(changed[at] ^ 1U);
    EXPECT_FALSE(ecies_decrypt(device.get(), changed)) << at;
  }
  for (std::size_t size = 0; size < good.size(); ++size) EXPECT_FALSE(ecies_decrypt(device.get(), ByteView(good).first(size))) << size;
}

TEST(Ecies, OtherKeysAreRefusedWithWords) {
  const PkeyHandle rsa(EVP_RSA_gen(2048));
  const auto refused = encrypt_for_device(spki_of(rsa.get()), "secret");
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().public_message.find("P-256"), std::string::npos);
}

}  // namespace
}  // namespace birthmark::crypto
