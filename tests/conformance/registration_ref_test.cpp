// SPDX-License-Identifier: Apache-2.0
// `serve --registration-ref` against what factory-registration-ref's own tests expect of it (protocol facts, Foundries 4.7), and against
// its environment (4.1) and device log (4.6).
#include <gtest/gtest.h>

#include "../e2e/http_peer.h"
#include "../e2e/reference_data.h"
#include "../e2e/server_process.h"
#include "../e2e/test_upstream.h"

namespace birthmark::conformance {
namespace {

using e2e::Answer;
using e2e::Device;
using e2e::read_text;
using e2e::ServerProcess;

class RegistrationRef : public ::testing::Test {
 protected:
  std::unique_ptr<ServerProcess> try_to_serve(std::vector<std::string> environment = {}) {
    environment.push_back("DATA_DIR=" + data_.path().string());
    ServerProcess::Options options;
    options.environment = std::move(environment);
    options.arguments = {"--registration-ref"};
    return std::make_unique<ServerProcess>(data_.path() / "birthmark", scratch_.path() / "server.log", options);
  }
  std::unique_ptr<ServerProcess> serve(std::vector<std::string> environment = {}) {
    auto server = try_to_serve(std::move(environment));
    e2e::require(server->wait_until_ready(), "not ready: " + server->log_text());
    return server;
  }
  static Answer post(const ServerProcess& server, const boost::json::object& body) {
    const auto answer = e2e::post_sign(server.port(), boost::json::serialize(body));
    e2e::require(answer.has_value(), "no answer");
    return *answer;
  }

  e2e::ScratchDirectory scratch_;
  e2e::ReferenceData data_{scratch_.path() / "data", "acme-corp"};
};

// --- test_api.py

TEST_F(RegistrationRef, TestSignNoData) {
  const auto server = serve();
  const auto answer = e2e::post_sign(server->port(), "", "");
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 415);
}

TEST_F(RegistrationRef, TestSignBadData) {
  const auto server = serve();
  const Answer without = post(*server, {{"data", 12}});
  EXPECT_EQ(without.status, 400);
  EXPECT_NE(without.body.find("Missing required field 'csr'"), std::string::npos) << without.body;
  const Answer bad = post(*server, {{"csr", "not a csr"}, {"hardware-id", "foo"}});
  EXPECT_EQ(bad.status, 400);
  EXPECT_NE(bad.body.find("Unable to load PEM file"), std::string::npos) << bad.body;
}

TEST_F(RegistrationRef, TestSignOverrides) {
  const auto server = serve({"DEVICE_GATEWAY_SERVER=https://example.com:8443"});
  const Device device = Device::make(e2e::random_uuid(), "acme-corp");
  const Answer answer = post(*server, {{"csr", device.csr},
                                       {"hardware-id", "foo"},
                                       {"overrides", boost::json::object{{"pacman", boost::json::object{{"type", "ostree_foo"}}}}}});
  ASSERT_EQ(answer.status, 201) << answer.body;
  EXPECT_EQ(read_text(data_.devices() / device.uuid), e2e::public_key_pem(device.key));
  const std::string toml = answer.member("sota.toml");
  EXPECT_NE(toml.find("[pacman]\ntype = ostree_foo"), std::string::npos) << toml;
  EXPECT_NE(toml.find("[provision]\nserver = \"https://example.com:8443\""), std::string::npos) << toml;
}

// --- test_crypto.py

TEST_F(RegistrationRef, TestSignWrongFactory) {
  const auto server = serve();
  const Answer answer = post(*server, e2e::request_with(Device::make(e2e::random_uuid(), "blah").csr));
  EXPECT_EQ(answer.status, 400);
  EXPECT_NE(answer.body.find("Invalid factory(blah) must be acme-corp"), std::string::npos) << answer.body;
}

TEST_F(RegistrationRef, TestSignIdsAreHexadecimalWithDashes) {
  const auto server = serve();
  const Device device = Device::make("12-34-56", "acme-corp");
  EXPECT_EQ(post(*server, e2e::request_with(device.csr)).status, 201);
  EXPECT_EQ(read_text(data_.devices() / "12-34-56"), e2e::public_key_pem(device.key));
  for (const char* id : {"12-34-xy", "-12", "..", "a/b", "12 "}) {
    const Answer answer = post(*server, e2e::request_with(Device::make(id, "acme-corp").csr));
    EXPECT_EQ(answer.status, 400) << id << ": " << answer.body;
  }
}

// --- 4.1 and 4.6

TEST_F(RegistrationRef, ServersAreThoseOfTheTlsCertificateUnlessNamed) {
  const auto server = serve({"OSTREE_SERVER=https://o.example:1"});
  const std::string toml = post(*server, e2e::request_with(Device::make(e2e::random_uuid(), "acme-corp").csr)).member("sota.toml");
  EXPECT_NE(toml.find("server = \"https://example.com:8443\""), std::string::npos) << toml;
  EXPECT_NE(toml.find("ostree_server = \"https://o.example:1/ostree\""), std::string::npos) << toml;
}

TEST_F(RegistrationRef, AMissingCertificateFileIsNamed) {
  std::filesystem::remove(data_.certificates() / "tls-crt");
  auto server = try_to_serve();
  const auto end = server->wait();
  ASSERT_TRUE(end);
  EXPECT_EQ(end->code, 1);
  EXPECT_NE(server->log_text().find("Missing file: "), std::string::npos) << server->log_text();
}

TEST_F(RegistrationRef, DevicesOfItsLogKeepTheirKeys) {
  const Device device = Device::make(e2e::random_uuid(), "acme-corp");
  data_.log(device);
  data_.log("README", "not a device");
  auto server = serve();
  EXPECT_EQ(post(*server, e2e::request_with(Device::make(device.uuid, "acme-corp").csr)).status, 409);
  EXPECT_EQ(post(*server, e2e::request_with(device.csr)).status, 201);
  ASSERT_EQ(server->stop(), 0);
  server = serve();
  EXPECT_EQ(post(*server, e2e::request_with(device.csr)).status, 201);
  EXPECT_EQ(server->stop(), 0);
}

TEST_F(RegistrationRef, ADeviceThatCannotBeLoggedIsToldToTryAgain) {
  const auto server = serve();
  std::filesystem::remove_all(data_.devices());
  const Device device = Device::make(e2e::random_uuid(), "acme-corp");
  const Answer answer = post(*server, e2e::request_with(device.csr));
  EXPECT_EQ(answer.status, 503) << answer.body;
  std::filesystem::create_directories(data_.devices());
  EXPECT_EQ(post(*server, e2e::request_with(device.csr)).status, 201);
  EXPECT_EQ(read_text(data_.devices() / device.uuid), e2e::public_key_pem(device.key));
}

TEST_F(RegistrationRef, TheUpstreamOfItsEnvironmentKnowsFirst) {
  e2e::write_text(data_.path() / "fio-api-token", "the-token\n");
  e2e::TestUpstream upstream(scratch_.path());
  upstream.set_token("the-token");
  upstream.start();
  const auto server = serve({"DEVICE_REGISTRATION_API=" + upstream.url(), "DEVICE_GROUP=line-1", "VERIFY_SSL=no"});
  const Device device = Device::make(e2e::random_uuid(), "acme-corp");
  ASSERT_EQ(post(*server, e2e::request_with(device.csr)).status, 201);
  EXPECT_TRUE(upstream.devices().contains(device.uuid));
  EXPECT_NE(upstream.record().find("\"group\":\"line-1\""), std::string::npos);
  EXPECT_NE(server->log_text().find("VERIFY_SSL IS OFF"), std::string::npos) << server->log_text();
}

}  // namespace
}  // namespace birthmark::conformance
