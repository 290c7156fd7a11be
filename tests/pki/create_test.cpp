// SPDX-License-Identifier: Apache-2.0
// `ca create`: what it makes, that it can be stopped anywhere and gone on with, and that it never overwrites, not even as root.
#include "pki_test_support.h"

namespace birthmark::crypto::testing {
namespace {

const std::set<std::string> kWholePki{"factory_ca.key", "factory_ca.pem", "local-ca.key", "local-ca.pem", "online-crt", "tls-crt"};

class CreatePki : public PkiTest {
 protected:
  [[nodiscard]] std::vector<std::string> create_arguments() const {
    return {"create", pki().string(), "--factory", "acme", "--csr-dir", csr_directory().string()};
  }
  void expect_finished_and_sound() {
    EXPECT_EQ(names_in(pki()), kWholePki);
    const Certificate root = certificate("factory_ca.pem");
    for (const std::string name : {"local-ca.pem", "online-crt", "tls-crt"}) EXPECT_TRUE(certificate(name).is_signed_by(root)) << name;
    EXPECT_EQ(must(PrivateKey::load(pki() / "factory_ca.key")).spki_sha256(), root.spki_sha256());
    EXPECT_EQ(must(PrivateKey::load(pki() / "local-ca.key")).spki_sha256(), certificate("local-ca.pem").spki_sha256());
  }
};

TEST_F(CreatePki, MakesTheFilesOfFactsSection1_2WithMode0400) {
  const auto outcome = create_pki(tools(), whole_pki());
  ASSERT_TRUE(outcome) << outcome.error().describe();
  EXPECT_EQ(names_in(pki()), kWholePki);
  EXPECT_EQ(mode_of(pki()), 0700U);
  for (const std::string& name : kWholePki) EXPECT_EQ(mode_of(pki() / name), 0400U) << name;
  EXPECT_TRUE(outcome->missing.empty());
  const std::vector<std::filesystem::path> artefacts{pki() / "factory_ca.pem", pki() / "tls-crt", pki() / "online-crt",
                                                     pki() / "local-ca.pem", pki() / "local-ca.key"};
  EXPECT_EQ(outcome->artefacts, artefacts);
}

TEST_F(CreatePki, KeyFilesAreOneSec1BlockOf227Bytes) {
  create_whole_pki();
  for (const std::string name : {"factory_ca.key", "local-ca.key"}) {
    const std::string text = contents(name);
    EXPECT_EQ(text.size(), 227U);
    EXPECT_TRUE(text.starts_with("-----BEGIN EC PRIVATE KEY-----\n"));
    EXPECT_TRUE(text.ends_with("-----END EC PRIVATE KEY-----\n"));
    EXPECT_EQ(must(decode_pem(text)).size(), 1U);
  }
}

TEST_F(CreatePki, WithoutRequestsMakesRootAndLocalCaAndSaysWhatIsMissing) {
  CreateRequest request = whole_pki();
  request.csr_directory.clear();
  const auto outcome = create_pki(tools(), request);
  ASSERT_TRUE(outcome) << outcome.error().describe();
  EXPECT_EQ(names_in(pki()), (std::set<std::string>{"factory_ca.key", "factory_ca.pem", "local-ca.key", "local-ca.pem"}));
  ASSERT_EQ(outcome->missing.size(), 2U);
  EXPECT_NE(outcome->missing[0].find("tls-crt"), std::string::npos);
  EXPECT_NE(outcome->missing[1].find("online-crt"), std::string::npos);

  // Requests that come later are signed into the same PKI.
  const std::string root_before = contents("factory_ca.pem");
  ASSERT_TRUE(create_pki(tools(), whole_pki()));
  expect_finished_and_sound();
  EXPECT_EQ(contents("factory_ca.pem"), root_before);
}

TEST_F(CreatePki, OnlineAndLocalCaCanBeLeftOut) {
  CreateRequest request = whole_pki();
  request.online_ca = false;
  request.local_ca = false;
  std::filesystem::remove(csr_directory() / "online-ca.csr");
  ASSERT_TRUE(create_pki(tools(), request));
  EXPECT_EQ(names_in(pki()), (std::set<std::string>{"factory_ca.key", "factory_ca.pem", "tls-crt"}));
}

TEST_F(CreatePki, TakesTheFactoryFromTheRequests) {
  CreateRequest request = whole_pki();
  request.factory.clear();
  ASSERT_TRUE(create_pki(tools(), request));
  EXPECT_EQ(certificate("factory_ca.pem").organizational_units(), std::vector<std::string>{"acme"});
}

TEST_F(CreatePki, RefusesWhenNobodyNamesTheFactory) {
  CreateRequest request = whole_pki();
  request.factory.clear();
  request.csr_directory.clear();
  const auto outcome = create_pki(tools(), request);
  ASSERT_FALSE(outcome);
  EXPECT_NE(outcome.error().public_message.find("--factory"), std::string::npos);
  EXPECT_TRUE(names_in(pki()).empty());
}

TEST_F(CreatePki, RefusesRequestsOfAnotherFactoryAndMakesNothing) {
  CreateRequest request = whole_pki();
  request.factory = "other";
  const auto outcome = create_pki(tools(), request);
  ASSERT_FALSE(outcome);
  EXPECT_NE(outcome.error().public_message.find("'acme', not 'other'"), std::string::npos) << outcome.error().public_message;
  EXPECT_FALSE(std::filesystem::exists(pki()));
}

TEST_F(CreatePki, RefusesARequestWithAWrongSelfSignature) {
  const std::string pem = must(read_file(csr_directory() / "tls.csr"));
  Bytes der = must(decode_pem(pem)).front().contents;
  der[der.size() - 5] ^= 1U;
  must(replace_file(csr_directory() / "tls.csr", encode_pem("CERTIFICATE REQUEST", der), 0600));
  const auto outcome = create_pki(tools(), whole_pki());
  ASSERT_FALSE(outcome);
  EXPECT_NE(outcome.error().public_message.find("tls.csr"), std::string::npos);
  EXPECT_FALSE(std::filesystem::exists(pki()));
}

TEST_F(CreatePki, AnOnlineRequestWithoutAFactoryIsRefused) {
  write_request("online-ca.csr", online_key_, {.common_name = "online-ca"});
  const auto outcome = create_pki(tools(), whole_pki());
  ASSERT_FALSE(outcome);
  EXPECT_NE(outcome.error().public_message.find("online-ca.csr must name its factory"), std::string::npos);
  EXPECT_FALSE(std::filesystem::exists(pki()));
}

TEST_F(CreatePki, OwnerNamesTheLocalCa) {
  CreateRequest request = whole_pki();
  request.owner = "5e13232f73927550af883e7b";
  ASSERT_TRUE(create_pki(tools(), request));
  EXPECT_EQ(certificate("local-ca.pem").subject_text(), "CN=fio-5e13232f73927550af883e7b,OU=acme");
}

TEST_F(CreatePki, AFinishedPkiIsRefusedAndUntouched) {
  create_whole_pki();
  std::map<std::string, std::string> before;
  for (const std::string& name : kWholePki) before[name] = contents(name);
  const auto outcome = create_pki(tools(), whole_pki());
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, ErrorCode::conflict);
  EXPECT_NE(outcome.error().public_message.find("already complete"), std::string::npos);
  for (const std::string& name : kWholePki) EXPECT_EQ(contents(name), before[name]) << name;
}

TEST_F(CreatePki, AFinishedPkiExitsWith1) {
  ASSERT_EQ(run_ca(create_arguments()).exit_code, 0);
  const ProcessResult again = run_ca(create_arguments());
  EXPECT_EQ(again.exit_code, 1);
  EXPECT_NE(again.err.find("already complete"), std::string::npos);
  EXPECT_EQ(again.out, "");
}

#ifdef BIRTHMARK_CRASH_POINTS
// Killed after the Nth file, for every N; then once more to the end. What was there before the second run is there after it.
TEST_F(CreatePki, StoppedAfterEachFileTheNextRunFinishes) {
  int crashes = 0;
  for (int step = 1;; ++step) {
    std::filesystem::remove_all(pki());
    const ProcessResult stopped = run_ca(create_arguments(), {{"BIRTHMARK_CRASH_AT", "pki.file_made:" + std::to_string(step)}});
    if (stopped.signal == 0) {
      EXPECT_EQ(stopped.exit_code, 0) << stopped.err;
      break;
    }
    ASSERT_EQ(stopped.signal, SIGKILL);
    ++crashes;
    std::map<std::string, std::string> left;
    for (const std::string& name : names_in(pki())) left[name] = contents(name);
    ASSERT_EQ(left.size(), static_cast<std::size_t>(step));
    if (left.contains("local-ca.pem")) EXPECT_TRUE(left.contains("local-ca.key"));
    if (left.contains("factory_ca.pem")) EXPECT_TRUE(left.contains("factory_ca.key"));

    const ProcessResult finished = run_ca(create_arguments());
    const bool was_whole = left.size() == kWholePki.size();  // killed after the last file: nothing is left to do
    EXPECT_EQ(finished.exit_code, was_whole ? 1 : 0) << finished.err;
    expect_finished_and_sound();
    for (const auto& [name, text] : left) EXPECT_EQ(contents(name), text) << name << " changed in step " << step;
  }
  EXPECT_EQ(crashes, 6);
}

// Killed between writing a file and giving it its name.
TEST_F(CreatePki, StoppedBeforeEachNameTheNextRunFinishes) {
  for (int step = 1; step <= 6; ++step) {
    std::filesystem::remove_all(pki());
    const ProcessResult stopped = run_ca(create_arguments(), {{"BIRTHMARK_CRASH_AT", "file.before_create:" + std::to_string(step)}});
    ASSERT_EQ(stopped.signal, SIGKILL);
    ASSERT_EQ(run_ca(create_arguments()).exit_code, 0);
    // The nameless leftover is there still, is nobody's certificate, and disturbs nothing.
    for (const std::string& name : names_in(pki())) {
      if (!kWholePki.contains(name)) std::filesystem::remove(pki() / name);
    }
    expect_finished_and_sound();
    EXPECT_EQ(must(view_directory(pki())).device_cas.size(), 2U);
  }
}
#endif

TEST_F(CreatePki, NeverOverwritesAKeyEvenAsRoot) {
  must(make_directory(pki(), 0700));
  const std::string foreign = must(must(PrivateKey::generate_p256()).to_pem());
  must(create_file(pki() / "factory_ca.key", foreign, 0400));
  must(create_file(pki() / "local-ca.key", foreign, 0400));
  ASSERT_TRUE(create_pki(tools(), whole_pki()));  // leftover keys are used
  EXPECT_EQ(contents("factory_ca.key"), foreign);
  EXPECT_EQ(contents("local-ca.key"), foreign);
}

TEST_F(CreatePki, AKeyFileThatIsNoKeyIsLeftAlone) {
  must(make_directory(pki(), 0700));
  must(create_file(pki() / "factory_ca.key", "not a key\n", 0400));
  const auto outcome = create_pki(tools(), whole_pki());
  ASSERT_FALSE(outcome);
  EXPECT_NE(outcome.error().describe().find("factory_ca.key"), std::string::npos);
  EXPECT_EQ(contents("factory_ca.key"), "not a key\n");
  EXPECT_EQ(names_in(pki()), std::set<std::string>{"factory_ca.key"});
}

TEST_F(CreatePki, ADanglingLinkInPlaceOfAKeyIsNotWrittenThrough) {
  must(make_directory(pki(), 0700));
  std::filesystem::create_symlink(scratch() / "elsewhere", pki() / "factory_ca.key");
  EXPECT_FALSE(create_pki(tools(), whole_pki()));
  EXPECT_FALSE(std::filesystem::exists(scratch() / "elsewhere"));
}

TEST_F(CreatePki, ARootThatIsNotTheKeysIsRefused) {
  create_whole_pki();
  std::filesystem::remove(pki() / "factory_ca.key");
  std::filesystem::remove(pki() / "local-ca.pem");
  must(create_file(pki() / "factory_ca.key", must(must(PrivateKey::generate_p256()).to_pem()), 0400));
  const auto outcome = create_pki(tools(), whole_pki());
  ASSERT_FALSE(outcome);
  EXPECT_NE(outcome.error().public_message.find("does not belong to factory_ca.key"), std::string::npos);
  EXPECT_FALSE(names_in(pki()).contains("local-ca.pem"));
}

TEST_F(CreatePki, AnotherFactoryInTheSameDirectoryIsRefused) {
  create_whole_pki();
  CreateRequest request;
  request.directory = pki();
  request.factory = "other";
  const auto outcome = create_pki(tools(), request);
  ASSERT_FALSE(outcome);
  EXPECT_NE(outcome.error().public_message.find("'acme'"), std::string::npos);
}

TEST_F(CreatePki, AnotherOwnerInTheSameDirectoryIsRefused) {
  create_whole_pki();
  std::filesystem::remove(pki() / "tls-crt");
  CreateRequest request = whole_pki();
  request.owner = "someone-else";
  const auto outcome = create_pki(tools(), request);
  ASSERT_FALSE(outcome);
  EXPECT_NE(outcome.error().public_message.find("another owner"), std::string::npos);
  EXPECT_FALSE(names_in(pki()).contains("tls-crt"));
}

TEST_F(CreatePki, ATlsCertificateForAnotherRequestIsRefused) {
  create_whole_pki();
  std::filesystem::remove(pki() / "local-ca.pem");
  const PrivateKey other = must(PrivateKey::generate_p256());
  write_request("tls.csr", other, {.common_name = "gateway.acme.example", .organizational_unit = "acme", .dns_names = {"a", "b"}});
  const auto outcome = create_pki(tools(), whole_pki());
  ASSERT_FALSE(outcome);
  EXPECT_NE(outcome.error().public_message.find("tls-crt is for another key"), std::string::npos);
}

TEST_F(CreatePki, WithoutTheRootsKeyNothingMoreIsSigned) {
  create_whole_pki();
  std::filesystem::remove(pki() / "factory_ca.key");
  std::filesystem::remove(pki() / "tls-crt");
  const auto outcome = create_pki(tools(), whole_pki());
  ASSERT_FALSE(outcome);
  EXPECT_NE(outcome.error().public_message.find("factory_ca.key"), std::string::npos);
}

TEST_F(CreatePki, TwoCeremoniesDoNotMix) {
  must(make_directory(pki(), 0700));
  const auto lock = must(PkiDirectory::open(pki())).lock();
  ASSERT_TRUE(lock);
  const auto outcome = create_pki(tools(), whole_pki());
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, ErrorCode::unavailable);
  EXPECT_TRUE(names_in(pki()).empty());
}

TEST_F(CreatePki, AWeirdFactoryNameIsRefused) {
  CreateRequest request = whole_pki();
  request.csr_directory.clear();
  for (const std::string& name : {std::string("bad\nname"), std::string(65, 'x')}) {
    request.factory = name;
    EXPECT_FALSE(create_pki(tools(), request));
    EXPECT_TRUE(names_in(pki()).empty());
  }
}

}  // namespace
}  // namespace birthmark::crypto::testing
