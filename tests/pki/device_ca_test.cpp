// SPDX-License-Identifier: Apache-2.0
// `ca add-device-ca` and `ca rotate-tls`: names and keys by facts section 1.2, and no moment without a certificate under its name.
#include "pki_test_support.h"

namespace birthmark::crypto::testing {
namespace {

class AddDeviceCa : public PkiTest {
 protected:
  void SetUp() override { create_whole_pki(); }
  [[nodiscard]] AddDeviceCaRequest local(const std::string& filename) const {
    AddDeviceCaRequest request;
    request.directory = pki();
    request.local_ca = true;
    request.local_ca_filename = filename;
    return request;
  }
  [[nodiscard]] AddDeviceCaRequest online() const {
    AddDeviceCaRequest request;
    request.directory = pki();
    request.online_ca = true;
    request.csr_directory = csr_directory();
    return request;
  }
};

TEST_F(AddDeviceCa, NamesAndKeysAsInFactsSection1_2) {
  for (const auto& [file, key] : {std::pair("foo", "foo.key"), std::pair("est-ca.pem", "est-ca.key")}) {
    const auto outcome = add_device_ca(tools(), local(file));
    ASSERT_TRUE(outcome) << outcome.error().describe();
    EXPECT_EQ(outcome->artefacts, (std::vector<std::filesystem::path>{pki() / file, pki() / key}));
    EXPECT_EQ(mode_of(pki() / file), 0400U);
    EXPECT_EQ(mode_of(pki() / key), 0400U);
    EXPECT_EQ(must(PrivateKey::load(pki() / key)).spki_sha256(), certificate(file).spki_sha256());
    EXPECT_TRUE(certificate(file).is_signed_by(certificate("factory_ca.pem")));
    EXPECT_EQ(certificate(file).subject_text(), "CN=fio-acme,OU=acme");
  }
}

TEST_F(AddDeviceCa, OwnerIsThatOfTheFirstLocalCaUnlessNamed) {
  AddDeviceCaRequest request = local("second.pem");
  request.owner = "line-2";
  ASSERT_TRUE(add_device_ca(tools(), request));
  EXPECT_EQ(certificate("second.pem").common_names(), std::vector<std::string>{"fio-line-2"});
}

TEST_F(AddDeviceCa, AnExistingNameIsRefusedAndUntouched) {
  const std::string before = contents("local-ca.pem");
  const auto outcome = add_device_ca(tools(), local("local-ca.pem"));
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, ErrorCode::conflict);
  EXPECT_EQ(contents("local-ca.pem"), before);
}

TEST_F(AddDeviceCa, ANameWhoseKeyIsAnotherCasIsRefused) {
  const auto outcome = add_device_ca(tools(), local("local-ca"));  // its key would be local-ca.key
  ASSERT_FALSE(outcome);
  EXPECT_NE(outcome.error().public_message.find("is the key of local-ca.pem"), std::string::npos) << outcome.error().public_message;
  EXPECT_FALSE(names_in(pki()).contains("local-ca"));
}

TEST_F(AddDeviceCa, PathsAndReservedNamesAreRefused) {
  const std::set<std::string> before = names_in(pki());
  for (const std::string name : {"../x.pem", "/tmp/x.pem", "a/b", "", ".hidden", ".pem", "factory_ca.pem", "factory_ca", "tls-crt",
                                 "online-crt", "x.key", "x.bak", "-x"}) {
    EXPECT_FALSE(add_device_ca(tools(), local(name))) << name;
  }
  EXPECT_EQ(names_in(pki()), before);
}

TEST_F(AddDeviceCa, ALeftoverKeyOfAnInterruptedRunIsUsed) {
  const std::string leftover = must(must(PrivateKey::generate_p256()).to_pem());
  must(create_file(pki() / "second.key", leftover, 0400));
  ASSERT_TRUE(add_device_ca(tools(), local("second.pem")));
  EXPECT_EQ(contents("second.key"), leftover);
  EXPECT_EQ(must(PrivateKey::from_pem(leftover)).spki_sha256(), certificate("second.pem").spki_sha256());
}

TEST_F(AddDeviceCa, NeitherKindIsAnError) {
  AddDeviceCaRequest request;
  request.directory = pki();
  EXPECT_FALSE(add_device_ca(tools(), request));
}

TEST_F(AddDeviceCa, NewOnlineCaKeepsItsPredecessorAsBak) {
  const std::string before = contents("online-crt");
  write_request("online-ca.csr", must(PrivateKey::generate_p256()), {.common_name = "online-ca-2", .organizational_unit = "acme"});
  const auto outcome = add_device_ca(tools(), online());
  ASSERT_TRUE(outcome) << outcome.error().describe();
  EXPECT_EQ(outcome->artefacts, std::vector<std::filesystem::path>{pki() / "online-crt"});
  EXPECT_EQ(contents("online-crt.bak"), before);
  EXPECT_EQ(mode_of(pki() / "online-crt.bak"), 0400U);
  EXPECT_EQ(mode_of(pki() / "online-crt"), 0400U);
  EXPECT_EQ(certificate("online-crt").common_names(), std::vector<std::string>{"online-ca-2"});
  // The predecessor stays trusted, so it is shown and can be revoked.
  EXPECT_EQ(must(view_directory(pki())).device_cas.size(), 3U);
}

TEST_F(AddDeviceCa, AnOnlineRequestOfAnotherFactoryLeavesTheOldOneInPlace) {
  const std::string before = contents("online-crt");
  write_request("online-ca.csr", online_key_, {.common_name = "online-ca", .organizational_unit = "other"});
  EXPECT_FALSE(add_device_ca(tools(), online()));
  EXPECT_EQ(contents("online-crt"), before);
  EXPECT_FALSE(names_in(pki()).contains("online-crt.bak"));
}

TEST_F(AddDeviceCa, WithoutTheRootsKeyNothingIsMoved) {
  std::filesystem::remove(pki() / "factory_ca.key");
  const std::set<std::string> before = names_in(pki());
  EXPECT_FALSE(add_device_ca(tools(), online()));
  EXPECT_FALSE(rotate_tls(tools(), {pki(), csr_directory() / "tls.csr"}));
  EXPECT_EQ(names_in(pki()), before);
}

TEST_F(AddDeviceCa, RotateTlsKeepsItsPredecessorAsBak) {
  const std::string before = contents("tls-crt");
  const auto outcome = rotate_tls(tools(), {pki(), csr_directory() / "tls.csr"});
  ASSERT_TRUE(outcome) << outcome.error().describe();
  EXPECT_EQ(outcome->artefacts, std::vector<std::filesystem::path>{pki() / "tls-crt"});
  EXPECT_EQ(contents("tls-crt.bak"), before);
  EXPECT_NE(contents("tls-crt"), before);
  EXPECT_EQ(certificate("tls-crt").dns_names(), (std::vector<std::string>{"gateway.acme.example", "ostree.acme.example"}));
  // One generation: a second rotation keeps the first one's result.
  const std::string second = contents("tls-crt");
  ASSERT_TRUE(rotate_tls(tools(), {pki(), csr_directory() / "tls.csr"}));
  EXPECT_EQ(contents("tls-crt.bak"), second);
}

#ifdef BIRTHMARK_CRASH_POINTS
TEST_F(AddDeviceCa, KilledAnywhereInARotationThereIsAlwaysAWholeTlsCertificate) {
  const std::vector<std::string> arguments{"rotate-tls", pki().string(), "--csr-dir", csr_directory().string()};
  for (const std::string point : {"file.before_replace:1", "pki.successor_written", "file.before_replace:2", "pki.predecessor_kept"}) {
    const std::string before = contents("tls-crt");
    ASSERT_EQ(run_ca(arguments, {{"BIRTHMARK_CRASH_AT", point}}).signal, SIGKILL) << point;
    EXPECT_EQ(contents("tls-crt"), before) << point;
    const ProcessResult again = run_ca(arguments);
    ASSERT_EQ(again.exit_code, 0) << point << again.err;
    EXPECT_NE(contents("tls-crt"), before) << point;
    EXPECT_EQ(contents("tls-crt.bak"), before) << point;
    EXPECT_FALSE(names_in(pki()).contains("tls-crt.new")) << point;
  }
  const std::string before = contents("tls-crt");
  ASSERT_EQ(run_ca(arguments, {{"BIRTHMARK_CRASH_AT", "pki.successor_named"}}).signal, SIGKILL);
  EXPECT_NE(contents("tls-crt"), before);
  EXPECT_EQ(contents("tls-crt.bak"), before);
}
#endif

}  // namespace
}  // namespace birthmark::crypto::testing
