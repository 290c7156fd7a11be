// SPDX-License-Identifier: Apache-2.0
// The contract of core::Signer, kept by every adapter: a key in a file, a key in a PKCS#11 token. One suite, three kinds of key each.
#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "../hsm/soft_token.h"
#include "base/run_task.h"
#include "crypto/digest.h"
#include "crypto/pkcs11/pkcs11_signer.h"
#include "crypto/private_key.h"
#include "crypto/signature.h"
#include "crypto/test_support.h"

namespace birthmark {
namespace {

using core::SignatureScheme;
using crypto::testing::must;

// A signer and what a verifier knows of it.
struct SignerUnderTest {
  std::shared_ptr<core::Signer> signer;
  Bytes spki;
};

enum class Kind { p256, p384, rsa };

class FileSigners {
 public:
  static SignerUnderTest make(Kind kind) {
    crypto::PrivateKey key =
        kind == Kind::rsa ? crypto::testing::generate_rsa(2048) : crypto::testing::generate_ec(kind == Kind::p256 ? "P-256" : "P-384");
    Bytes spki = must(key.spki_der());
    return {crypto::make_file_signer(std::move(key)), std::move(spki)};
  }
};

class TokenSigners {
 public:
  static SignerUnderTest make(Kind kind) {
    static TokenSigners all;
    const auto key = must(all.token_->key(must(crypto::pkcs11::Uri::parse(kind == Kind::p256   ? "pkcs11:object=p256"
                                                                          : kind == Kind::p384 ? "pkcs11:object=p384"
                                                                                               : "pkcs11:object=rsa"))));
    return {crypto::pkcs11::make_pkcs11_signer(all.token_, key), crypto::testing::encode_public_key(key->public_half())};
  }

 private:
  TokenSigners() {
    house_.use_here();
    house_.make_token("contract");
    house_.make_key("contract", "p256", "01");
    house_.make_key("contract", "p384", "02", "EC:secp384r1");
    house_.make_key("contract", "rsa", "03", "rsa:2048");
    crypto::pkcs11::TokenSettings settings;
    settings.module = hsm::kSoftHsm;
    settings.token = must(crypto::pkcs11::Uri::parse("pkcs11:token=contract"));
    settings.pin = must(crypto::pkcs11::Pin::from_text(as_bytes(hsm::kPin)));
    token_ = must(crypto::pkcs11::Token::open(settings));
  }
  hsm::SoftHouse house_;
  std::shared_ptr<crypto::pkcs11::Token> token_;
};

template <class Adapter>
class SignerContract : public ::testing::Test {
 protected:
  static SignerUnderTest make(Kind kind) { return Adapter::make(kind); }
  static bool signs(const SignerUnderTest& tested, SignatureScheme scheme, ByteView message) {
    const auto signature = run_task(tested.signer->sign(scheme, message));
    if (!signature) return false;
    return must(crypto::verify_signature(tested.spki, scheme, message, *signature));
  }
};

using Adapters = ::testing::Types<FileSigners, TokenSigners>;
TYPED_TEST_SUITE(SignerContract, Adapters);

TYPED_TEST(SignerContract, SignsForItsPublicKeyInItsDefaultScheme) {
  for (const auto& [kind, scheme] : {std::pair{Kind::p256, SignatureScheme::ecdsa_sha256},
                                     {Kind::p384, SignatureScheme::ecdsa_sha384},
                                     {Kind::rsa, SignatureScheme::rsa_pkcs1_sha256}}) {
    const auto tested = this->make(kind);
    EXPECT_EQ(tested.signer->default_scheme(), scheme);
    for (int round = 0; round < 4; ++round) EXPECT_TRUE(this->signs(tested, scheme, as_bytes("round " + std::to_string(round))));
  }
}

TYPED_TEST(SignerContract, NamesTheKeyByTheHashOfItsPublicHalf) {
  const auto tested = this->make(Kind::p256);
  EXPECT_EQ(tested.signer->spki_sha256(), SpkiHash{crypto::sha256(tested.spki).octets});
}

TYPED_TEST(SignerContract, TakesMessagesOfAnyLength) {
  const auto tested = this->make(Kind::p256);
  EXPECT_TRUE(this->signs(tested, SignatureScheme::ecdsa_sha256, {}));
  EXPECT_TRUE(this->signs(tested, SignatureScheme::ecdsa_sha256, Bytes(1U << 20U, 0x5a)));
}

TYPED_TEST(SignerContract, KeepsSchemesOfOneKeyApart) {
  const auto tested = this->make(Kind::p384);
  for (int round = 0; round < 2; ++round) {
    EXPECT_TRUE(this->signs(tested, SignatureScheme::ecdsa_sha384, as_bytes("message")));
    EXPECT_TRUE(this->signs(tested, SignatureScheme::ecdsa_sha256, as_bytes("message")));
  }
}

TYPED_TEST(SignerContract, RefusesASchemeOfAnotherKindOfKey) {
  const Bytes message = to_bytes(as_bytes("message"));
  EXPECT_FALSE(run_task(this->make(Kind::p256).signer->sign(SignatureScheme::rsa_pkcs1_sha256, message)).has_value());
  EXPECT_FALSE(run_task(this->make(Kind::rsa).signer->sign(SignatureScheme::ecdsa_sha256, message)).has_value());
  EXPECT_TRUE(this->signs(this->make(Kind::p256), SignatureScheme::ecdsa_sha256, message));
}

TYPED_TEST(SignerContract, ServesManyThreadsAtOnceEachWithItsOwnSignature) {
  const auto tested = this->make(Kind::p256);
  std::vector<int> good(12, 0);
  std::vector<std::thread> threads;
  for (std::size_t number = 0; number < good.size(); ++number) {
    threads.emplace_back([&, number] {
      for (int round = 0; round < 25; ++round) {
        const std::string message = "thread " + std::to_string(number) + " round " + std::to_string(round);
        good[number] += this->signs(tested, SignatureScheme::ecdsa_sha256, as_bytes(message)) ? 1 : 0;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const int count : good) EXPECT_EQ(count, 25);
}

}  // namespace
}  // namespace birthmark
