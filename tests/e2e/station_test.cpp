// SPDX-License-Identifier: Apache-2.0
// Certificates of stations and operators, seen from curl and openssl: who is let in, what a refusal says, and where keys are.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "curl.h"
#include "device.h"
#include "server_process.h"

namespace birthmark::e2e {
namespace {

namespace fs = std::filesystem;

mode_t mode_of(const fs::path& path) {
  struct stat status{};
  require(::stat(path.c_str(), &status) == 0, "no " + path.string());
  return status.st_mode & 0777U;
}

class Stations : public ::testing::Test {
 protected:
  Stations() {
    factory_.configure("registration", "trust = \"certificate\"\ntls = \"own\"");
    ServerProcess::Options options;
    options.listen = {"registration=127.0.0.1:0", "admin=127.0.0.1:0"};
    server_ = factory_.serve(options);
  }
  fs::path dir() const { return factory_.scratch() / "certificates"; }
  void add(const std::string& role, const std::string& name) { factory_.command({role, "add", name, "--out", dir()}); }
  [[nodiscard]] Arguments shown(const std::string& name) const {
    if (name.empty()) return {};
    return {"--cert", dir() / (name + ".pem"), "--key", dir() / (name + ".key")};
  }
  CurlReply sign(const std::string& name, const Device& device, Arguments more = {}) {
    const Arguments identity = shown(name);
    more.insert(more.end(), identity.begin(), identity.end());
    more.insert(more.end(), {"--cacert", factory_.directory() / "site-ca.pem", "-H", "Content-Type: application/json", "-d", device.body(),
                             "https://localhost:" + std::to_string(server_->port()) + "/sign"});
    return curl(std::move(more));
  }
  CurlReply admin(const std::string& name, const std::string& path) {
    Arguments arguments = shown(name);
    arguments.insert(arguments.end(), {"--cacert", factory_.directory() / "site-ca.pem",
                                       "https://localhost:" + std::to_string(server_->port("admin")) + path});
    return curl(std::move(arguments));
  }

  Factory factory_;
  std::unique_ptr<ServerProcess> server_;
};

TEST_F(Stations, RegisterWithTheirCertificateAndNobodyElseDoes) {
  add("station", "line-1");
  EXPECT_EQ(mode_of(dir() / "line-1.key"), 0600U);
  const Device device = Device::make();
  const CurlReply made = sign("line-1", device);
  ASSERT_EQ(made.status, 201) << made.body << made.errors;
  EXPECT_EQ(made.object().size(), 4U);
  const std::string row = factory_.command({"device", "list", "--format", "json", "--id-prefix", device.uuid});
  EXPECT_NE(row.find(R"("station":"line-1")"), std::string::npos) << row;
  const std::string events = factory_.command({"events"});
  EXPECT_NE(events.find(R"("proof":"station:)"), std::string::npos) << events;

  const CurlReply bare = sign("", Device::make());
  EXPECT_EQ(bare.status, 401);
  EXPECT_NE(bare.message().find("client certificate"), std::string::npos) << bare.body;
  const std::string token = factory_.command({"token", "create", "--scope", "devices:create"});
  EXPECT_EQ(sign("", Device::make(), {"-H", "OSF-TOKEN: " + token.substr(0, token.find('\n'))}).status, 401) << "tokens do not count";
  factory_.command({"audit", "verify"});
}

TEST_F(Stations, ARevokedOneIsRefusedAtOnceWhileTheOthersGoOn) {
  add("station", "line-1");
  add("station", "line-2");
  ASSERT_EQ(sign("line-1", Device::make()).status, 201);
  ASSERT_EQ(sign("line-2", Device::make()).status, 201);
  EXPECT_EQ(factory_.command({"station", "revoke", "line-1", "--reason", "stolen"}), "1 certificate of station line-1 is revoked\n");
  const CurlReply refused = sign("line-1", Device::make());
  EXPECT_EQ(refused.status, 401);
  EXPECT_NE(refused.message().find("revoked"), std::string::npos) << refused.body;
  EXPECT_EQ(sign("line-2", Device::make()).status, 201);
  EXPECT_NE(factory_.command({"station", "list"}).find("revoked"), std::string::npos);
  EXPECT_EQ(factory_.birthmark({"station", "revoke", "line-1", "--dir", factory_.directory()}).exit_code, 1) << "nothing is left to revoke";
  // A new one for the same station; the old one stays refused.
  fs::rename(dir() / "line-1.pem", dir() / "old.pem");
  fs::copy_file(dir() / "line-1.key", dir() / "old.key");
  add("station", "line-1");
  EXPECT_EQ(sign("line-1", Device::make()).status, 201);
  EXPECT_EQ(sign("old", Device::make()).status, 401);
}

TEST_F(Stations, ARequestFromElsewhereKeepsTheKeyThere) {
  const fs::path key = factory_.scratch() / "own.key", request = factory_.scratch() / "own.csr";
  ASSERT_EQ(run({"openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", key}).exit_code, 0);
  ASSERT_EQ(run({"openssl", "req", "-new", "-key", key, "-subj", "/CN=somebody-else/OU=evil", "-out", request}).exit_code, 0);
  const std::string pem = factory_.command({"station", "add", "line-9", "--csr", request});
  fs::create_directory(dir());
  write_text(dir() / "line-9.pem", pem);
  fs::copy_file(key, dir() / "line-9.key");
  const Outcome subject = run({"openssl", "x509", "-in", dir() / "line-9.pem", "-noout", "-subject", "-ext", "keyUsage,extendedKeyUsage"});
  EXPECT_NE(subject.output.find("CN = line-9, OU = acme"), std::string::npos) << subject.output;
  EXPECT_NE(subject.output.find("TLS Web Client Authentication"), std::string::npos) << subject.output;
  EXPECT_EQ(
      run({"openssl", "verify", "-CAfile", factory_.directory() / "site-ca.pem", "-purpose", "sslclient", dir() / "line-9.pem"}).exit_code,
      0);
  EXPECT_EQ(sign("line-9", Device::make()).status, 201);
}

TEST_F(Stations, AnOperatorIsNoStationAndAStationNoOperator) {
  add("station", "line-1");
  add("operator", "anna");
  EXPECT_EQ(sign("anna", Device::make()).status, 403);
  EXPECT_EQ(admin("line-1", "/api/v1/orders").status, 403);
  EXPECT_EQ(admin("", "/api/v1/orders").status, 401);
  EXPECT_EQ(admin("anna", "/api/v1/orders").status, 200);
  EXPECT_EQ(admin("anna", "/readyz").body, "{\"ready\":true,\"reasons\":[]}\n");
  Arguments order = shown("anna");
  order.insert(order.end(), {"--cacert", factory_.directory() / "site-ca.pem", "-d", R"({"name":"first","places":3})",
                             "https://localhost:" + std::to_string(server_->port("admin")) + "/api/v1/orders"});
  EXPECT_EQ(curl(order).status, 201);
  EXPECT_NE(factory_.command({"events", "--all"}).find(R"("actor":"operator:anna")"), std::string::npos);
  factory_.command({"operator", "revoke", "anna"});
  EXPECT_EQ(admin("anna", "/api/v1/orders").status, 401);
}

TEST_F(Stations, ACertificateOfAnotherCaEndsTheHandshake) {
  const Factory other;
  other.command({"station", "add", "line-1", "--out", dir()});
  const CurlReply refused = sign("line-1", Device::make());
  EXPECT_EQ(refused.status, 0) << refused.body;
  // Nor is one by the factory's own device CA a station's.
  add("station", "line-2");
  const CurlReply made = sign("line-2", Device::make());
  ASSERT_EQ(made.status, 201);
}

TEST_F(Stations, CommandsSayWhatIsWrong) {
  const auto fails = [&](Arguments arguments, int code, std::string_view phrase) {
    arguments.insert(arguments.end(), {"--dir", factory_.directory()});
    const Outcome outcome = factory_.birthmark(arguments);
    EXPECT_EQ(outcome.exit_code, code) << phrase;
    EXPECT_NE(outcome.errors.find(phrase), std::string::npos) << outcome.errors;
  };
  fails({"station", "add", "line-1"}, 2, "--csr");
  fails({"station", "add", "10.0.0.1", "--out", dir()}, 1, "station's name");
  EXPECT_FALSE(fs::exists(dir() / "10.0.0.1.key"));
  write_text(factory_.scratch() / "no.csr", "no request\n");
  fails({"station", "add", "line-1", "--csr", factory_.scratch() / "no.csr"}, 1, "request");
  add("station", "line-1");
  fails({"station", "add", "line-1", "--out", dir()}, 1, "line-1.pem");
  EXPECT_TRUE(fs::exists(dir() / "line-1.pem")) << "the file that was there stays";
  fails({"station", "add", "line-3", "--out", dir(), "--valid-for", "soon"}, 1, "soon");
  EXPECT_FALSE(fs::exists(dir() / "line-3.pem")) << "an empty file is left behind";
}

TEST(StationTrust, NeedsTls) {
  const Factory factory;
  factory.configure("registration", "trust = \"certificate\"");
  const auto server = factory.try_to_serve();
  const auto end = server->wait();
  ASSERT_TRUE(end);
  EXPECT_EQ(end->code, 1);
  EXPECT_NE(server->log_text().find("registration.tls"), std::string::npos) << server->log_text();
}

}  // namespace
}  // namespace birthmark::e2e
