// SPDX-License-Identifier: Apache-2.0
// POST /sign over HTTPS, with curl: [registration] tls = "gateway".
#include <gtest/gtest.h>

#include "sign_server.h"

namespace birthmark::conformance {
namespace {

constexpr const char* kGatewayName = "x.ota-lite.example";

e2e::Outcome curl(const SignServer& server, const std::filesystem::path& ca, const e2e::Arguments& more) {
  const std::string port = std::to_string(server.port());
  e2e::Arguments arguments{"curl",
                           "--silent",
                           "--show-error",
                           "--cacert",
                           ca,
                           "--resolve",
                           std::string(kGatewayName) + ":" + port + ":127.0.0.1",
                           "--write-out",
                           "\n%{http_code}",
                           "https://" + std::string(kGatewayName) + ":" + port + "/sign"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return e2e::run(arguments);
}

TEST(SignHttps, ADeviceRegistersThroughTheFactorysOwnCertificate) {
  const SignServer server("tls = \"gateway\"");
  const auto root = server.factory().pki() / "factory_ca.pem";
  const Device device = Device::make();
  const auto done = curl(server, root, {"--header", "Content-Type: application/json", "--data", device.body()});
  ASSERT_EQ(done.exit_code, 0) << done.errors;
  EXPECT_TRUE(done.output.ends_with("\n201")) << done.output;
  EXPECT_NE(done.output.find("\"client.pem\":"), std::string::npos);
  // lmp-device-register pings first.
  const auto ping = curl(server, root, {"--head"});
  EXPECT_TRUE(ping.output.ends_with("\n405")) << ping.output;
}

TEST(SignHttps, PlainRequestsGetNoAnswer) {
  const SignServer server("tls = \"gateway\"");
  EXPECT_FALSE(e2e::post_sign(server.port(), Device::make().body()));
}

TEST(SignHttps, ARenewedServerCertificateIsUsedWithoutARestart) {
  const SignServer server("tls = \"gateway\"");
  const e2e::Factory& factory = server.factory();
  const auto shown_certificate = [&] {
    return e2e::run({"openssl", "s_client", "-connect", "127.0.0.1:" + std::to_string(server.port()), "-showcerts"}).output;
  };
  const std::string before = shown_certificate();
  const auto fresh = factory.birthmark({"ca", "sign", (factory.directory() / "csr" / "tls.csr").string(), "--pki-dir", factory.pki()});
  ASSERT_EQ(fresh.exit_code, 0) << fresh.errors;
  e2e::write_text(factory.scratch() / "tls-crt", fresh.output);
  factory.command({"ca", "install", (factory.scratch() / "tls-crt").string()});
  const std::string after = shown_certificate();
  EXPECT_NE(after.find("BEGIN CERTIFICATE"), std::string::npos);
  EXPECT_NE(before.substr(before.find("BEGIN CERTIFICATE"), 400), after.substr(after.find("BEGIN CERTIFICATE"), 400));
}

TEST(SignHttps, WithoutItsCertificateTheServerDoesNotStart) {
  const e2e::Factory factory(e2e::Factory::Pki::no);
  factory.configure("registration", "tls = \"gateway\"");
  const auto server = factory.try_to_serve();
  EXPECT_FALSE(server->wait_until_ready());
  EXPECT_NE(server->log_text().find("no TLS certificate"), std::string::npos) << server->log_text();
}

}  // namespace
}  // namespace birthmark::conformance
