// SPDX-License-Identifier: Apache-2.0
// birthmark-device pep against the built server: the original's commands with exit codes that tell the truth (protocol facts, pep 2).
#include <gtest/gtest.h>

#include <filesystem>

#include "pep_server.h"

namespace birthmark::pep {
namespace {

namespace fs = std::filesystem;

// The program in a directory of its own, called as pep-cli.
class Gateway {
 public:
  explicit Gateway(PepServer& server) : server_(server) { fs::create_symlink(BIRTHMARK_DEVICE_PROGRAM, scratch_.path() / "pep-cli"); }

  [[nodiscard]] e2e::Outcome cli(const e2e::Arguments& arguments, const std::string& more = {}) const {
    e2e::Arguments all{"env", "-C", scratch_.path().string(), "PEP_SERVER_URL=http://127.0.0.1:" + std::to_string(server_.port())};
    if (!more.empty()) all.push_back(more);
    all.push_back((scratch_.path() / "pep-cli").string());
    all.insert(all.end(), arguments.begin(), arguments.end());
    return e2e::run(all);
  }
  [[nodiscard]] fs::path file(const std::string& name) const { return scratch_.path() / name; }

 private:
  PepServer& server_;
  e2e::ScratchDirectory scratch_;
};

PepServer& server() {
  static PepServer pep;
  static const bool started = (pep.start(), true);
  static_cast<void>(started);
  return pep;
}

TEST(PepCli, gets_an_identity_and_keeps_it) {
  const Gateway gateway(server());
  TestFcc fcc;
  const auto given = gateway.cli({"get-one-identity", "-s", "CLI 1; x%", "-i", "127.0.0.1", "-p", std::to_string(fcc.port())});
  EXPECT_EQ(given.exit_code, 0) << given.errors;
  EXPECT_EQ(e2e::read_text(gateway.file("identity.json")) + "\n", given.output);
  EXPECT_EQ(fcc.text("mbed.EndpointName"), "CLI 1; x%");
  const auto id = gateway.cli({"get-enrollment-id", "-s", "CLI 1; x%"});
  EXPECT_EQ(id.exit_code, 0);
  EXPECT_EQ(id.output.size(), 98U);
  EXPECT_NE(given.output.find(id.output.substr(0, 97)), std::string::npos);
}

TEST(PepCli, a_failure_is_an_exit_code_and_no_identity) {
  const Gateway gateway(server());
  TestFcc first, second;
  ASSERT_EQ(gateway.cli({"get-one-identity", "-s", "CLI-2", "-i", "127.0.0.1", "-p", std::to_string(first.port())}).exit_code, 0);
  fs::remove(gateway.file("identity.json"));
  const auto taken = gateway.cli({"get-one-identity", "-s", "CLI-2", "-i", "127.0.0.1", "-p", std::to_string(second.port())});
  EXPECT_EQ(taken.exit_code, 1);
  EXPECT_NE(taken.errors.find("exists already"), std::string::npos) << taken.errors;
  EXPECT_FALSE(fs::exists(gateway.file("identity.json")));
  EXPECT_EQ(gateway.cli({"get-enrollment-id", "-s", "nobody"}).exit_code, 1);
  EXPECT_EQ(gateway.cli({"get-one-identity", "-s", "x"}).exit_code, 2);
  EXPECT_EQ(gateway.cli({"get-one-identity", "-z"}).exit_code, 2);
  EXPECT_EQ(gateway.cli({"--help"}).exit_code, 0);
  EXPECT_EQ(gateway.cli({"list-enrollment-ids", "--help"}).exit_code, 0);
  EXPECT_NE(gateway.cli({"-V"}).output.find("2.6.1"), std::string::npos);
}

TEST(PepCli, lists_as_the_portal_takes_it) {
  const Gateway gateway(server());
  for (int i = 0; i < 3; ++i) {
    TestFcc fcc;
    ASSERT_EQ(server().provision("L-" + std::to_string(i), fcc.port()).status, 200);
  }
  const auto listed = gateway.cli({"list-enrollment-ids", "-l", "2", "-e", "csv", "--all", "-o", "ASC"});
  EXPECT_EQ(listed.exit_code, 0) << listed.errors;
  const std::string csv = e2e::read_text(gateway.file("enrollment_ids_list.csv"));
  EXPECT_TRUE(csv.starts_with("\"enrollmentID\",\"serialNumber\","));
  EXPECT_EQ(csv, server().factory().command({"pep", "export"}));
}

TEST(PepCli, seals_the_journal_and_sends_the_key_in_a_body) {
  const Gateway gateway(server());
  e2e::write_text(gateway.file("journalctl"), "#!/bin/sh\necho 'a1b2c3-d4e5f6-a7b8c9-d0e1f2/2f1a3c-989680'\n");
  fs::permissions(gateway.file("journalctl"), fs::perms::owner_all);
  TestFcc fcc;
  const std::string path = "PATH=" + gateway.file("").string() + ":/usr/bin:/bin";
  const auto given = gateway.cli({"get-one-identity", "-k", "-s", "CLI-k", "-i", "127.0.0.1", "-p", std::to_string(fcc.port())}, path);
  ASSERT_EQ(given.exit_code, 0) << given.errors;
  EXPECT_EQ(given.output.find("a1b2c3"), std::string::npos);
  EXPECT_EQ(gateway.cli({"get-verification-key", "-s", "CLI-k"}).output, "a1b2c3-d4e5f6-a7b8c9-d0e1f2/2f1a3c-989680\n");
}

}  // namespace
}  // namespace birthmark::pep
