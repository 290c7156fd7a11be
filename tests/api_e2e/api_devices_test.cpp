// SPDX-License-Identifier: Apache-2.0
// Devices by the API: registered under the online CA, made known with a certificate of their own, and a line whose upstream is another
// Birthmark.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <sstream>

#include "api_server.h"

namespace birthmark::e2e {
namespace {

namespace json = boost::json;

std::string status_of(const Factory& factory, const std::string& id) {
  std::istringstream lines(factory.command({"device", "export", "--format", "json"}));
  for (std::string line; std::getline(lines, line);) {
    const json::value row = json::parse(line);
    if (row.at("id").as_string() == id) return std::string(row.at("status").as_string());
  }
  return {};
}

std::string introduction(const std::string& certificate, const std::string& name = {}, const std::string& group = {}) {
  json::object body;
  body["client.pem"] = certificate;
  if (!name.empty()) body["name"] = name;
  if (!group.empty()) body["group"] = group;
  return json::serialize(body);
}

TEST(ApiDevices, PostLiftsADenialAndPutDoesNot) {
  ApiServer server;
  server.serve({"api=127.0.0.1:0", "gateway=127.0.0.1:0"});
  const std::filesystem::path root = server.factory().pki() / "factory_ca.pem";
  const Device device = Device::make();
  const Answer first = server.ask("POST", "/ota/devices/", device.body());
  ASSERT_EQ(first.status, 201) << first.body;
  EXPECT_EQ(server.visit_gateway(first.member("client.pem"), *device.key.to_pem(), root), 200);
  const Device other_key = Device::make(device.uuid);
  EXPECT_EQ(server.ask("POST", "/ota/devices/", other_key.body()).status, 409) << "a known device keeps its key";

  server.factory().command({"device", "delete", device.uuid, "--reason", "lost"});
  EXPECT_EQ(server.visit_gateway(first.member("client.pem"), *device.key.to_pem(), root), 403);
  const Answer put = server.ask("PUT", "/ota/devices/", introduction(first.member("client.pem")));
  EXPECT_EQ(put.status, 403) << put.body;
  EXPECT_EQ(status_of(server.factory(), device.uuid), "deleted");
  const Answer again = server.ask("POST", "/ota/devices/", other_key.body());
  EXPECT_EQ(again.status, 201) << again.body;
  EXPECT_EQ(status_of(server.factory(), device.uuid), "active");
  EXPECT_EQ(server.visit_gateway(again.member("client.pem"), *other_key.key.to_pem(), root), 200);
  EXPECT_NE(server.visit_gateway(first.member("client.pem"), *device.key.to_pem(), root), 200) << "the old key is nobody's";
  EXPECT_EQ(server.factory().birthmark({"audit", "verify", "--dir", server.factory().directory()}).exit_code, 0);
}

TEST(ApiDevices, AScopeIsNeededAndHostileBodiesAreRefused) {
  ApiServer server;
  const std::string reader = read_text(server.make_token("devices:read"));
  server.serve({"api=127.0.0.1:0"});
  const Device device = Device::make();
  const std::string token = reader.substr(0, reader.find('\n'));
  EXPECT_EQ(server.ask_as(token, "POST", "/ota/devices/", device.body()).status, 403);
  EXPECT_EQ(server.ask_as("", "POST", "/ota/devices/", device.body()).status, 401);
  EXPECT_LT(server.ask_as("", "HEAD", "/ota/devices/").status, 500) << "lmp-device-register asks so whether somebody is here";
  for (const char* body : {"", "{", "[]", "null", "{}", R"({"client.pem":7})", R"({"client.pem":""})", R"({"client.pem":"x"})",
                           R"({"client.pem":"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"})",
                           R"({"csr":"x","hardware-id":"x"})", R"({"csr":["x"]})"}) {
    for (const char* method : {"POST", "PUT"}) {
      const Answer answer = server.ask(method, "/ota/devices/", body);
      EXPECT_GE(answer.status, 400) << method << body;
      EXPECT_LT(answer.status, 500) << method << body << answer.body;
      EXPECT_FALSE(answer.message().empty()) << method << body;
    }
  }
  json::object group = device.request();
  group["group"] = "line a/b";
  EXPECT_EQ(server.ask("POST", "/ota/devices/", json::serialize(group)).status, 400);
  group["group"] = "line-a";
  EXPECT_EQ(server.ask("POST", "/ota/devices/", json::serialize(group)).status, 201);
}

TEST(ApiDevices, ACertificateOfAnotherPkiIsNotIntroduced) {
  ApiServer server, stranger;
  server.serve({"api=127.0.0.1:0"});
  stranger.serve({"api=127.0.0.1:0"});
  const Answer elsewhere = stranger.ask("POST", "/ota/devices/", Device::make().body());
  ASSERT_EQ(elsewhere.status, 201);
  EXPECT_EQ(server.ask("PUT", "/ota/devices/", introduction(elsewhere.member("client.pem"))).status, 403);
  EXPECT_EQ(server.ask("PUT", "/ota/devices/", introduction(read_text(server.factory().pki() / "local-ca.pem"))).status, 403);
  EXPECT_EQ(server.ask("PUT", "/ota/devices/", introduction(read_text(server.factory().pki() / "tls-crt"))).status, 403);
}

// A line: registers with the factory's local CA and tells its upstream, which has the gateway.
class LineWithUpstream : public ::testing::Test {
 protected:
  void SetUp() override {
    upstream_.serve({"api=127.0.0.1:0", "gateway=127.0.0.1:0"});
    line_.command({"ca", "install", upstream_.factory().pki() / "factory_ca.pem", upstream_.factory().pki() / "local-ca.pem",
                   upstream_.factory().pki() / "local-ca.key"});
    const std::filesystem::path token = upstream_.make_token("devices:create,devices:read");
    line_.configure("upstream", "url = \"" + upstream_.url() + "/ota/devices/\"\ntoken_file = \"" + token.string() +
                                    "\"\nmode = \"wait\"\nwait_deadline = \"30s\"\ngroup = \"line-1\"");
    server_ = line_.serve();
  }
  std::string register_at_line(const Device& device) {
    const auto answer = post_sign(server_->port(), device.body());
    EXPECT_TRUE(answer && answer->status == 201) << (answer ? answer->body : "no answer");
    return answer ? answer->member("client.pem") : std::string();
  }
  int visit(const std::string& certificate, const Device& device) {
    return upstream_.visit_gateway(certificate, *device.key.to_pem(), upstream_.factory().pki() / "factory_ca.pem");
  }

  ApiServer upstream_;
  Factory line_{Factory::Pki::no};
  std::unique_ptr<ServerProcess> server_;
};

TEST_F(LineWithUpstream, ADeviceIsKnownUpstreamBeforeItIsAnswered) {
  const Device device = Device::make();
  const std::string certificate = register_at_line(device);
  EXPECT_EQ(status_of(upstream_.factory(), device.uuid), "active");
  EXPECT_EQ(visit(certificate, device), 200);
  const Answer again = upstream_.ask("PUT", "/ota/devices/", introduction(certificate, "a-name", "line-1"));
  EXPECT_EQ(again.status, 409) << again.body;
  EXPECT_NE(upstream_.factory().command({"device", "show", device.uuid}).find("line-1"), std::string::npos);
}

TEST_F(LineWithUpstream, DeletionUpstreamDeniesTheDeviceAndUndenyingLetsItReturnWithTheOldOrANewKey) {
  const Device device = Device::make();
  const std::string certificate = register_at_line(device);
  upstream_.factory().command({"device", "delete", device.uuid, "--reason", "gone"});
  EXPECT_EQ(visit(certificate, device), 403);
  upstream_.factory().command({"device", "allow", device.uuid, "--reason", "back"});
  EXPECT_EQ(visit(certificate, device), 200) << "with the old key";

  upstream_.factory().command({"device", "delete", device.uuid, "--reason", "gone again"});
  upstream_.factory().command({"device", "allow", device.uuid, "--reason", "back again"});
  line_.command({"device", "delete", device.uuid, "--reason", "new key"});
  line_.command({"device", "allow", device.uuid, "--reason", "new key"});
  const Device renewed = Device::make(device.uuid);
  const std::string next = register_at_line(renewed);
  EXPECT_EQ(visit(next, renewed), 200) << "with a new key";
  EXPECT_NE(visit(certificate, device), 200) << "the first one wins";
}

}  // namespace
}  // namespace birthmark::e2e
