// SPDX-License-Identifier: Apache-2.0
// Which certificate requests are signed: the vectors of tests/data/csr, made by other programs or by hand, through the whole server.
#include <gtest/gtest.h>

#include "sign_server.h"

namespace birthmark::conformance {
namespace {

Answer post_vector(SignServer& server, const std::string& name) {
  return server.post(e2e::request_with(test_data("csr/" + name + ".pem")));
}

void expect_accepted(SignServer& server, const std::string& name, const std::string& id) {
  const Answer answer = post_vector(server, name);
  EXPECT_EQ(answer.status, 201) << name << ": " << answer.body;
  server.forget(id);
}

TEST(SignCsr, WhatRealClientsAndOpenSslWriteIsSigned) {
  constexpr const char* kUuid = "7c1f2f5e-8f0b-4a5e-9c58-1f0f9d5e3a11";
  expect_accepted(safe_id_server(), "plain", kUuid);
  expect_accepted(safe_id_server(), "new-label", kUuid);
  expect_accepted(safe_id_server(), "no-attributes", kUuid);
  expect_accepted(safe_id_server(), "go-fioup-style", "0b1f7c9e-6a3d-4c55-9f0e-2d1c8a7b6e54");
  expect_accepted(safe_id_server(), "lmp-device-register", "28d32f3a-4387-4ecf-91ae-872d54289179");
  expect_accepted(safe_id_server(), "lmp-device-register-hsm", "4d1193a0-b5a6-40c6-aa58-34fba0b8c87c");
  expect_accepted(safe_id_server(), "multi-valued", "device-1");
}

TEST(SignCsr, TheThreeNistCurvesAreSigned) {
  for (const char* name : {"openssl-P-256-sha384", "openssl-P-384", "openssl-P-521"}) expect_accepted(safe_id_server(), name, "device-1");
}

TEST(SignCsr, RsaIsRefusedUnlessAllowed) {
  const Answer refused = post_vector(safe_id_server(), "openssl-rsa-2048");
  EXPECT_EQ(refused.status, 400);
  EXPECT_NE(refused.message().find("RSA"), std::string::npos) << refused.body;
  expect_accepted(rsa_server(), "openssl-rsa-2048", "device-1");
  EXPECT_EQ(post_vector(rsa_server(), "openssl-rsa-1024").status, 400);
  EXPECT_EQ(post_vector(rsa_server(), "openssl-rsa-pss").status, 400);
}

TEST(SignCsr, OtherKeysAndHashesAreRefused) {
  for (const char* name : {"openssl-ed25519", "openssl-secp256k1", "openssl-sha1", "openssl-rsa-1024", "openssl-rsa-pss", "explicit-curve"})
    EXPECT_EQ(post_vector(safe_id_server(), name).status, 400) << name;
}

// The first of them OpenSSL verifies, for a key that nobody needs to have.
TEST(SignCsr, WithoutProofOfPossessionNothingIsSigned) {
  for (const char* name : {"infinity", "wrong-signature", "other-key", "off-curve-point"})
    EXPECT_EQ(post_vector(default_server(), name).status, 400) << name;
}

TEST(SignCsr, WhatIsNotDerIsRefused) {
  for (const char* name :
       {"indefinite-length", "non-minimal-length", "trailing-bytes", "multi-valued-unsorted", "deeply-nested", "version-2"})
    EXPECT_EQ(post_vector(safe_id_server(), name).status, 400) << name;
}

TEST(SignCsr, NamesThatAreNoDeviceIdAreRefused) {
  for (const char* name : {"nul-in-name", "utf8-invalid", "printable-bad-character", "ia5", "bmp-string", "teletex-string"})
    EXPECT_EQ(post_vector(safe_id_server(), name).status, 400) << name;
  EXPECT_EQ(post_vector(default_server(), "openssl-P-384").status, 400) << "device-1 is no UUID";
}

TEST(SignCsr, LineEndsAndTextAroundTheBlockAreSkipped) {
  const Device device = Device::make();
  std::string csr = "Subject: whatever\n\n" + device.csr;
  for (std::size_t at = csr.find('\n'); at != std::string::npos; at = csr.find('\n', at + 2)) csr.insert(at, "\r");
  EXPECT_EQ(default_server().post(e2e::request_with(csr)).status, 201);
}

TEST(SignCsr, OfTwoTheFirstIsUsed) {
  const Device first = Device::make();
  const Device second = Device::make();
  boost::json::object body = e2e::request_with(first.csr + second.csr);
  body["uuid"] = first.uuid;
  EXPECT_EQ(default_server().post(body).status, 201);
  EXPECT_EQ(default_server().post(second.request()).status, 201);
}

}  // namespace
}  // namespace birthmark::conformance
