// SPDX-License-Identifier: Apache-2.0
#include "crypto/private_key.h"

#include <gtest/gtest.h>
#include <openssl/ec.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "base/pem.h"
#include "crypto/digest.h"
#include "crypto/test_support.h"

namespace birthmark::crypto {
namespace {

using core::SignatureScheme;
using testing::must;

constexpr const char* kEcParametersBlock = "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n";

class PrivateKeyFile : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "birthmark-key-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    directory_ = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  std::filesystem::path write(const std::string& contents, mode_t mode) {
    const std::filesystem::path path = directory_ / "device.key";
    std::filesystem::remove(path);  // it may be read-only
    std::ofstream(path, std::ios::binary) << contents;
    EXPECT_EQ(::chmod(path.c_str(), mode), 0);
    return path;
  }

  std::filesystem::path directory_;
};

TEST(PrivateKey, IsWrittenAsOneSec1BlockOfTheSizeThatFioctlWrites) {
  const PrivateKey key = must(PrivateKey::generate_p256());
  const std::string pem = must(key.to_pem());
  EXPECT_TRUE(pem.starts_with("-----BEGIN EC PRIVATE KEY-----\n"));
  EXPECT_TRUE(pem.ends_with("-----END EC PRIVATE KEY-----\n"));
  EXPECT_EQ(pem.size(), 227U);  // protocol facts, Foundries 1.2
  EXPECT_EQ(must(decode_pem(pem)).size(), 1U);
}

TEST(PrivateKey, ReadsWhatItWrote) {
  for (const char* curve : {"P-256", "P-384", "P-521"}) {
    const PrivateKey key = testing::generate_ec(curve);
    const PrivateKey again = must(PrivateKey::from_pem(must(key.to_pem())));
    EXPECT_EQ(again.spki_sha256(), key.spki_sha256()) << curve;
    EXPECT_EQ(again.default_scheme(), key.default_scheme()) << curve;
  }
}

TEST(PrivateKey, SpkiHashIsTheHashOfTheEncodedPublicKey) {
  const PrivateKey key = must(PrivateKey::generate_p256());
  const Bytes spki = must(key.spki_der());
  EXPECT_EQ(spki, testing::encode_public_key(key.get()));
  EXPECT_EQ(key.spki_sha256().octets, sha256(spki).octets);
}

TEST(PrivateKey, ReadsAKeyBehindAnEcParametersBlock) {
  const PrivateKey key = must(PrivateKey::generate_p256());
  const PrivateKey read = must(PrivateKey::from_pem(kEcParametersBlock + must(key.to_pem())));
  EXPECT_EQ(read.spki_sha256(), key.spki_sha256());
}

TEST(PrivateKey, ChoosesTheSchemeByTheKey) {
  EXPECT_EQ(testing::generate_ec("P-256").default_scheme(), SignatureScheme::ecdsa_sha256);
  EXPECT_EQ(testing::generate_ec("P-384").default_scheme(), SignatureScheme::ecdsa_sha384);
  EXPECT_EQ(testing::generate_ec("P-521").default_scheme(), SignatureScheme::ecdsa_sha512);
  EXPECT_EQ(testing::generate_rsa(2048).default_scheme(), SignatureScheme::rsa_pkcs1_sha256);
}

TEST(PrivateKey, WritesRsaAsPkcs8AndReadsItAgain) {
  const PrivateKey key = testing::generate_rsa(2048);
  const std::string pem = must(key.to_pem());
  EXPECT_TRUE(pem.starts_with("-----BEGIN PRIVATE KEY-----\n"));
  EXPECT_EQ(must(PrivateKey::from_pem(pem)).spki_sha256(), key.spki_sha256());
}

TEST(PrivateKey, RefusesWhatIsNoUsableKey) {
  const PrivateKey key = must(PrivateKey::generate_p256());
  const Bytes sec1 = must(decode_first_pem(must(key.to_pem()))).contents;

  Bytes longer = sec1;
  longer.push_back(0);
  EXPECT_EQ(PrivateKey::from_pem(encode_pem("EC PRIVATE KEY", longer)).error().public_message,
            "Bytes follow the private key in its PEM block.");

  Bytes mismatched = sec1;
  mismatched[10] ^= 1U;  // inside the private value: the public key beside it is another's
  EXPECT_EQ(PrivateKey::from_pem(encode_pem("EC PRIVATE KEY", mismatched)).error().public_message,
            "The private key does not fit its public key.");

  EXPECT_FALSE(PrivateKey::from_pem("").has_value());
  EXPECT_FALSE(PrivateKey::from_pem(kEcParametersBlock).has_value());
  EXPECT_FALSE(PrivateKey::from_pem(encode_pem("PRIVATE KEY", as_bytes("no key at all"))).has_value());
  EXPECT_EQ(PrivateKey::from_pem(encode_pem("ENCRYPTED PRIVATE KEY", sec1)).error().public_message,
            "Encrypted private keys are not supported.");

  const PkeyHandle other_curve(EVP_EC_gen("secp256k1"));
  EXPECT_EQ(PrivateKey::from_pem(testing::pkcs8_pem(other_curve.get())).error().public_message,
            "EC private keys must be on P-256, P-384 or P-521, not secp256k1.");
  const PkeyHandle other_kind(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
  EXPECT_EQ(PrivateKey::from_pem(testing::pkcs8_pem(other_kind.get())).error().public_message,
            "Private keys must be EC with a named curve, or RSA.");
  EXPECT_EQ(ERR_peek_error(), 0U) << "a refusal left something in the error queue";
}

TEST(PrivateKey, SignsWhatOpenSslVerifies) {
  const Bytes message = to_bytes(as_bytes("a message, never a digest"));
  const PrivateKey p256 = must(PrivateKey::generate_p256());
  EXPECT_TRUE(testing::verifies(p256.get(), "SHA256", message, must(p256.sign(SignatureScheme::ecdsa_sha256, message))));
  EXPECT_TRUE(testing::verifies(p256.get(), "SHA512", message, must(p256.sign(SignatureScheme::ecdsa_sha512, message))));
  const PrivateKey rsa = testing::generate_rsa(2048);
  EXPECT_TRUE(testing::verifies(rsa.get(), "SHA256", message, must(rsa.sign(SignatureScheme::rsa_pkcs1_sha256, message))));
  EXPECT_EQ(rsa.sign(SignatureScheme::ecdsa_sha256, message).error().code, ErrorCode::internal);
}

TEST_F(PrivateKeyFile, LoadsAKeyThatOnlyItsOwnerCanRead) {
  const PrivateKey key = must(PrivateKey::generate_p256());
  for (const mode_t mode : {mode_t{0400}, mode_t{0600}})
    EXPECT_EQ(must(PrivateKey::load(write(must(key.to_pem()), mode))).spki_sha256(), key.spki_sha256());
}

TEST_F(PrivateKeyFile, RefusesAKeyThatOthersCanReadAndSaysWhatToDo) {
  const std::string pem = must(must(PrivateKey::generate_p256()).to_pem());
  for (const mode_t mode : {mode_t{0440}, mode_t{0404}, mode_t{0620}, mode_t{0601}}) {
    const std::filesystem::path path = write(pem, mode);
    const Result<PrivateKey> refused = PrivateKey::load(path);
    ASSERT_FALSE(refused.has_value()) << mode;
    EXPECT_EQ(refused.error().code, ErrorCode::misconfigured);
    EXPECT_NE(refused.error().public_message.find("chmod 0400"), std::string::npos);
    EXPECT_NE(refused.error().public_message.find(path.string()), std::string::npos);
  }
}

TEST_F(PrivateKeyFile, NamesTheFileInEveryError) {
  const Result<PrivateKey> missing = PrivateKey::load(directory_ / "nothing.key");
  EXPECT_EQ(missing.error().code, ErrorCode::not_found);
  EXPECT_NE(missing.error().public_message.find("nothing.key"), std::string::npos);

  const Result<PrivateKey> garbage = PrivateKey::load(write("not a key\n", 0400));
  EXPECT_EQ(garbage.error().code, ErrorCode::invalid);
  EXPECT_NE(garbage.error().public_message.find("device.key"), std::string::npos);

  EXPECT_EQ(PrivateKey::load(directory_).error().code, ErrorCode::misconfigured);
  EXPECT_EQ(PrivateKey::load(write(std::string(70'000, 'x'), 0600)).error().code, ErrorCode::too_large);
}

}  // namespace
}  // namespace birthmark::crypto
