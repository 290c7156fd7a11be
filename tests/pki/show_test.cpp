// SPDX-License-Identifier: Apache-2.0
// `ca show`: the structure that scripts cut PEM from, fioctl's own output as the measure, and directories that fioctl made.
#include "crypto/pki/show.h"

#include "crypto/pki/describe.h"
#include "pki_test_support.h"

namespace birthmark::crypto::testing {
namespace {

std::string vector_file(const std::string& name) {
  return must(read_file(std::string(BIRTHMARK_TEST_DATA) + "/foundries/" + name));
}

// A PKI directory as fioctl leaves it, without the keys.
class FioctlDirectory : public PkiTest {
 protected:
  void SetUp() override {
    must(make_directory(pki(), 0700));
    for (const std::string name : {"factory_ca.pem", "local-ca.pem", "online-crt", "tls-crt"})
      must(create_file(pki() / name, vector_file(name), 0400));
  }
  [[nodiscard]] std::string shown(ShowOptions options) const { return render(must(view_directory(pki())), options); }
};

// Everything from the first section heading on: before it stand the service's own dates.
std::string sections(const std::string& text) {
  return text.substr(text.find("## Factory root certificate"));
}

TEST_F(FioctlDirectory, EveryVectorVerifies) {
  const Certificate root = certificate("factory_ca.pem");
  EXPECT_TRUE(root.is_self_signed());
  for (const std::string name : {"local-ca.pem", "online-crt", "tls-crt"}) {
    EXPECT_TRUE(certificate(name).is_signed_by(root)) << name;
    EXPECT_TRUE(chains_to(certificate(name), root, name == "tls-crt" ? X509_PURPOSE_SSL_SERVER : -1, now_)) << name;
  }
}

TEST_F(FioctlDirectory, PrettyIsLineForLineWhatFioctlPrints) {
  EXPECT_EQ(sections(shown({.pretty = true})), sections(vector_file("show-pretty.txt")));
}

TEST_F(FioctlDirectory, SectionsHoldTheSamePemUnderTheSameHeadings) {
  const std::string ours = sections(shown({}));
  const std::string theirs = sections(vector_file("show.txt"));
  const auto squeeze = [](std::string text) {  // the captured output has one blank line more after the TLS certificate
    for (std::size_t at = text.find("\n\n"); at != std::string::npos; at = text.find("\n\n")) text.erase(at, 1);
    return text;
  };
  EXPECT_EQ(squeeze(ours), squeeze(theirs));
}

TEST_F(FioctlDirectory, JustDeviceCasIsAPemBundle) {
  const auto blocks = must(decode_pem(shown({.section = ShowSection::device_cas})));
  ASSERT_EQ(blocks.size(), 2U);
  EXPECT_EQ(blocks[0].contents, certificate("online-crt").der());  // online first, then local (Foundries 1.3)
  EXPECT_EQ(blocks[1].contents, certificate("local-ca.pem").der());
}

TEST_F(FioctlDirectory, JustRootAndJustTls) {
  EXPECT_EQ(shown({.section = ShowSection::root}), certificate("factory_ca.pem").pem() + "\n");
  EXPECT_EQ(shown({.section = ShowSection::tls}), certificate("tls-crt").pem() + "\n");
}

TEST_F(FioctlDirectory, FilesAreSortedIntoTheSameSections) {
  const PkiView view = must(view_files({pki() / "local-ca.pem", pki() / "tls-crt", pki() / "factory_ca.pem"}));
  EXPECT_EQ(view.roots.size(), 1U);
  EXPECT_EQ(view.tls.size(), 1U);
  EXPECT_EQ(view.device_cas.size(), 1U);
}

TEST_F(FioctlDirectory, AFioctlCrlIsShownFromItsFile) {
  must(create_file(scratch() / "crl.txt", vector_file("revoke-dryrun-pretty.txt"), 0600));
  const std::string text = render(must(view_files({scratch() / "crl.txt"})), {.pretty = true});
  EXPECT_NE(text.find("Revoke - 9"), std::string::npos);
}

class ShowOwnPki : public PkiTest {
 protected:
  void SetUp() override { create_whole_pki(); }
  void command(CaVerdict verdict) {
    CrlCommandRequest request;
    request.directory = pki();
    request.verdict = verdict;
    request.ca_files = {"local-ca.pem"};
    static_cast<void>(must(make_crl_command(tools(), request)));
  }
  [[nodiscard]] std::string device_cas() const { return render(must(view_directory(pki())), {.section = ShowSection::device_cas}); }
};

TEST_F(ShowOwnPki, DisabledSerialsFollowTheBundleAsProse) {
  command(CaVerdict::disable);
  EXPECT_NE(device_cas().find("\n## Disabled Device Authentication Certificate Serial(s)\n -  " +
                              certificate("local-ca.pem").serial_decimal() + "\n"),
            std::string::npos);
  EXPECT_EQ(must(decode_pem(device_cas())).size(), 2U);
  command(CaVerdict::enable);
  EXPECT_EQ(device_cas().find("Disabled"), std::string::npos);
}

TEST_F(ShowOwnPki, RevokedCasLeaveTheBundleForGood) {
  command(CaVerdict::revoke);
  command(CaVerdict::enable);
  EXPECT_EQ(must(decode_pem(device_cas())).size(), 1U);
  EXPECT_NE(device_cas().find("Revoked"), std::string::npos);
}

TEST_F(ShowOwnPki, OtherFilesInTheDirectoryDoNotDisturb) {
  must(create_file(pki() / "notes.pem", "-----BEGIN NOTHING-----\nnever ended\n", 0600));
  must(create_file(pki() / "README", "hello\n", 0600));
  must(create_file(pki() / "local-ca.pem.x7Gh2k", certificate("local-ca.pem").pem(), 0400));
  EXPECT_EQ(must(view_directory(pki())).device_cas.size(), 2U);
}

TEST_F(ShowOwnPki, AStrangersCaIsNotShown) {
  const auto random = make_system_random();
  const PrivateKey key = must(PrivateKey::generate_p256());
  const Certificate stranger = must(make_root_certificate(key, "acme", *random, now_));
  must(create_file(pki() / "stranger.pem", must(make_local_ca_certificate({stranger, key}, key, "fio-x", "acme", *random, now_)).pem(),
                   0400));
  EXPECT_EQ(must(view_directory(pki())).device_cas.size(), 2U);
}

TEST_F(ShowOwnPki, ADamagedFileOfTheCeremonyIsNamed) {
  std::filesystem::remove(pki() / "online-crt");
  must(create_file(pki() / "online-crt", "damaged\n", 0400));
  const auto view = view_directory(pki());
  ASSERT_FALSE(view);
  EXPECT_NE(view.error().public_message.find("online-crt"), std::string::npos);
}

TEST_F(ShowOwnPki, ControlCharactersOfASubjectDoNotReachTheTerminal) {
  const X509NameHandle name(X509_NAME_new());
  const std::string evil = "a\x1b[2J,b";
  ASSERT_EQ(X509_NAME_add_entry_by_NID(name.get(), NID_commonName, V_ASN1_UTF8STRING, reinterpret_cast<const unsigned char*>(evil.data()),
                                       static_cast<int>(evil.size()), -1, 0),
            1);
  EXPECT_EQ(name_text(name.get()), "CN=a\\1b[2J\\,b");
}

TEST_F(ShowOwnPki, CommandPrintsAndUsageErrorsExitWith2) {
  const ProcessResult shown = run_ca({"show", pki().string(), "--just-root"});
  EXPECT_EQ(shown.exit_code, 0);
  EXPECT_EQ(must(Certificate::from_pem(shown.out)), certificate("factory_ca.pem"));
  EXPECT_EQ(run_ca({"show", pki().string(), "--just-root", "--just-tls"}).exit_code, 2);
  EXPECT_EQ(run_ca({"show", (scratch() / "nowhere").string()}).exit_code, 1);
  EXPECT_EQ(run_ca({"nonsense"}).exit_code, 2);
}

}  // namespace
}  // namespace birthmark::crypto::testing
