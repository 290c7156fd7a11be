// SPDX-License-Identifier: Apache-2.0
// The signer over a key in memory: right key, right scheme, many threads, and nothing left of a signer that is gone.
#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "base/run_task.h"
#include "crypto/private_key.h"
#include "crypto/test_support.h"

namespace birthmark::crypto {
namespace {

using core::SignatureScheme;
using testing::must;

PkeyHandle share(const PrivateKey& key) {
  EVP_PKEY_up_ref(key.get());
  return PkeyHandle(key.get());
}

TEST(FileSigner, SignsForItsKeyInItsDefaultScheme) {
  PrivateKey key = must(PrivateKey::generate_p256());
  const PkeyHandle verifier = share(key);
  const SpkiHash spki = key.spki_sha256();
  const auto signer = make_file_signer(std::move(key));
  const Bytes message = to_bytes(as_bytes("to be signed"));
  EXPECT_EQ(signer->spki_sha256(), spki);
  EXPECT_EQ(signer->default_scheme(), SignatureScheme::ecdsa_sha256);
  for (int round = 0; round < 3; ++round)
    EXPECT_TRUE(testing::verifies(verifier.get(), "SHA256", message, must(run_task(signer->sign(SignatureScheme::ecdsa_sha256, message)))));
}

TEST(FileSigner, KeepsSchemesApart) {
  PrivateKey key = testing::generate_ec("P-384");
  const PkeyHandle verifier = share(key);
  const auto signer = make_file_signer(std::move(key));
  const Bytes message = to_bytes(as_bytes("to be signed"));
  for (int round = 0; round < 2; ++round) {
    EXPECT_TRUE(testing::verifies(verifier.get(), "SHA384", message, must(run_task(signer->sign(SignatureScheme::ecdsa_sha384, message)))));
    EXPECT_TRUE(testing::verifies(verifier.get(), "SHA512", message, must(run_task(signer->sign(SignatureScheme::ecdsa_sha512, message)))));
  }
}

TEST(FileSigner, SignsWithRsa) {
  PrivateKey key = testing::generate_rsa(2048);
  const PkeyHandle verifier = share(key);
  const auto signer = make_file_signer(std::move(key));
  const Bytes message = to_bytes(as_bytes("to be signed"));
  EXPECT_TRUE(
      testing::verifies(verifier.get(), "SHA256", message, must(run_task(signer->sign(SignatureScheme::rsa_pkcs1_sha256, message)))));
}

TEST(FileSigner, RefusesASchemeOfAnotherKindOfKey) {
  const auto signer = make_file_signer(must(PrivateKey::generate_p256()));
  const Bytes message = to_bytes(as_bytes("to be signed"));
  EXPECT_FALSE(run_task(signer->sign(SignatureScheme::rsa_pkcs1_sha256, message)).has_value());
  EXPECT_TRUE(run_task(signer->sign(SignatureScheme::ecdsa_sha256, message)).has_value());
}

// A context remembered for a signer that is gone must never be used for its successor, whatever address that one has.
TEST(FileSigner, ManySignersOnOneThreadNeverSignForOneAnother) {
  const Bytes message = to_bytes(as_bytes("to be signed"));
  for (int round = 0; round < 100; ++round) {
    PrivateKey key = must(PrivateKey::generate_p256());
    const PkeyHandle verifier = share(key);
    const auto signer = make_file_signer(std::move(key));
    EXPECT_TRUE(testing::verifies(verifier.get(), "SHA256", message, must(run_task(signer->sign(SignatureScheme::ecdsa_sha256, message)))));
  }
}

TEST(FileSigner, ServesManyThreadsAtOnceAndOutlivesThem) {
  PrivateKey key = must(PrivateKey::generate_p256());
  const PkeyHandle verifier = share(key);
  const auto signer = make_file_signer(std::move(key));
  std::vector<int> good(8, 0);
  std::vector<std::thread> threads;
  for (std::size_t number = 0; number < good.size(); ++number) {
    threads.emplace_back([&, number] {
      for (int round = 0; round < 20; ++round) {
        const Bytes message = to_bytes(as_bytes("thread " + std::to_string(number) + " round " + std::to_string(round)));
        const Result<Bytes> signature = run_task(signer->sign(SignatureScheme::ecdsa_sha256, message));
        if (signature && testing::verifies(verifier.get(), "SHA256", message, *signature)) ++good[number];
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const int count : good) EXPECT_EQ(count, 20);
}

}  // namespace
}  // namespace birthmark::crypto
