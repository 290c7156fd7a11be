// SPDX-License-Identifier: Apache-2.0
// The PKI owner works through the API: nothing is carried by hand, and the running server follows at once.
#include <gtest/gtest.h>

#include "api_server.h"

namespace birthmark::e2e {
namespace {

namespace json = boost::json;

struct Registered {
  std::string certificate, key, root, issuer;
};

Registered register_by_api(ApiServer& server, const Device& device) {
  const Answer answer = server.ask("POST", "/ota/devices/", device.body());
  require(answer.status == 201, "POST /ota/devices/: " + answer.body);
  const auto key = device.key.to_pem();
  require(key.has_value(), "key");
  const std::string chained = answer.member("client.chained");
  return {answer.member("client.pem"), *key, answer.member("root.crt"), chained.substr(chained.find("\n\n") + 2)};
}

void create(ApiServer& server) {
  const Outcome created = server.ca({"create", server.owner()});
  ASSERT_EQ(created.exit_code, 0) << created.errors;
}

TEST(ApiPki, AFactoryWithoutAPkiIsSetUpThroughItsApi) {
  ApiServer server(Factory::Pki::no);
  server.serve({"api=127.0.0.1:0"});
  EXPECT_EQ(server.certs().status, 206);
  const Outcome early = server.ca({"show"});
  EXPECT_EQ(early.exit_code, 1);
  EXPECT_NE(early.errors.find("no PKI yet"), std::string::npos) << early.errors;
  create(server);
  EXPECT_EQ(server.certs().member("root-crt"), read_text(server.owner() / "factory_ca.pem"));
  const Outcome again = server.ca({"create", server.owner()});
  EXPECT_EQ(again.exit_code, 1);
  EXPECT_NE(again.errors.find("409"), std::string::npos) << again.errors;
  const Outcome shown = server.ca({"show", "--just-device-cas"});
  EXPECT_EQ(shown.exit_code, 0) << shown.errors;
  EXPECT_NE(shown.output.find(read_text(server.owner() / "online-crt")), std::string::npos);
  const Registered device = register_by_api(server, Device::make());
  EXPECT_EQ(device.issuer, read_text(server.owner() / "online-crt")) << "devices of the API are the online CA's";
  EXPECT_EQ(server.process().stop(), 0);
  server.serve({"api=127.0.0.1:0", "gateway=127.0.0.1:0"});
  EXPECT_EQ(server.visit_gateway(device.certificate, device.key, server.owner() / "factory_ca.pem"), 200);
}

TEST(ApiPki, TheGatewayTheOnlineCaAndEstSwitchWithoutARestart) {
  ApiServer server(Factory::Pki::no);
  server.serve({"api=127.0.0.1:0"});
  create(server);
  server.factory().configure("api", "est_dns = \"est.acme.example\"");
  server.serve({"api=127.0.0.1:0", "gateway=127.0.0.1:0"});
  const std::string before = server.gateway_certificate("x.ota-lite.example");
  EXPECT_EQ(before, read_text(server.owner() / "tls-crt"));
  ASSERT_EQ(server.ca({"rotate-tls", server.owner()}).exit_code, 0);
  const std::string after = server.gateway_certificate("x.ota-lite.example");
  EXPECT_NE(after, before);
  EXPECT_EQ(after, read_text(server.owner() / "tls-crt"));

  ASSERT_EQ(server.ca({"add-device-ca", server.owner(), "--online-ca"}).exit_code, 0);
  const Registered device = register_by_api(server, Device::make());
  EXPECT_EQ(device.issuer, read_text(server.owner() / "online-crt"));
  EXPECT_NE(device.issuer, read_text(server.owner() / "online-crt.bak"));

  EXPECT_EQ(server.gateway_certificate("est.acme.example"), after) << "no certificate of its own yet";
  const Outcome est = server.ca({"est", "authorize", server.owner()});
  ASSERT_EQ(est.exit_code, 0) << est.errors;
  EXPECT_EQ(server.gateway_certificate("est.acme.example"), est.output);
  EXPECT_EQ(server.gateway_certificate("x.ota-lite.example"), after);
  EXPECT_EQ(server.ca({"est", "show"}).output, est.output + "\n");
}

TEST(ApiPki, ADisabledCasKnownDeviceGoesOnAndARevokedOnesIsRefusedAtOnce) {
  ApiServer server;
  server.serve({"api=127.0.0.1:0", "gateway=127.0.0.1:0", "registration=127.0.0.1:0"});
  const std::filesystem::path pki = server.factory().pki();
  const Device device = Device::make(), other = Device::make();
  const auto signed_one = post_sign(server.process().port(), device.body());
  const auto never_seen = post_sign(server.process().port(), other.body());
  ASSERT_TRUE(signed_one && signed_one->status == 201 && never_seen);
  const std::string certificate = signed_one->member("client.pem"), key = *device.key.to_pem();
  EXPECT_EQ(server.visit_gateway(certificate, key, pki / "factory_ca.pem"), 200);

  const Outcome dry = server.ca({"disable-device-ca", pki, "--ca-file", "local-ca.pem", "--dry-run"});
  EXPECT_EQ(dry.exit_code, 0) << dry.errors;
  EXPECT_TRUE(dry.output.starts_with("-----BEGIN X509 CRL-----"));
  const Outcome disabled = server.ca({"disable-device-ca", pki, "--ca-file", "local-ca.pem"});
  ASSERT_EQ(disabled.exit_code, 0) << disabled.errors;
  EXPECT_EQ(json::parse(server.certs().body).at("disabled-ca-serials").as_array().size(), 1U);
  EXPECT_EQ(server.visit_gateway(certificate, key, pki / "factory_ca.pem"), 200) << "a known device goes on";

  const Outcome revoked = server.ca({"revoke-device-ca", pki, "--ca-file", "local-ca.pem"});
  ASSERT_EQ(revoked.exit_code, 0) << revoked.errors;
  EXPECT_EQ(server.visit_gateway(certificate, key, pki / "factory_ca.pem"), 403);
  EXPECT_EQ(server.certs().member("ca-crt"), read_text(pki / "online-crt"));
  const Outcome back = server.ca({"update", pki / "local-ca.pem"});
  EXPECT_EQ(back.exit_code, 1);
}

// Protocol facts, Foundries 1.8: what fioctl up to 0.36 does with the answer.
TEST(ApiPki, TheLegacyScriptsMakeAPkiThatIsAccepted) {
  ApiServer server(Factory::Pki::no);
  server.serve({"api=127.0.0.1:0"});
  const Answer legacy = server.ask("POST", "/ota/factories/acme/certs/", "{}");
  ASSERT_EQ(legacy.status, 201) << legacy.body;
  const std::filesystem::path folder = server.factory().scratch() / "legacy";
  ASSERT_TRUE(make_directory(folder, 0700));
  for (const char* script : {"create_ca", "create_device_ca", "sign_ca_csr", "sign_tls_csr"})
    ASSERT_TRUE(create_file(folder / script, legacy.member(script), 0700)) << script;
  for (const char* csr : {"ca-csr", "tls-csr"}) ASSERT_TRUE(create_file(folder / csr, legacy.member(csr), 0400)) << csr;
  const auto made = run({"sh", "-c",
                         "cd \"$0\" && ./create_ca && ./sign_tls_csr tls-csr >tls-crt && ./sign_ca_csr ca-csr >online-crt && "
                         "./create_device_ca local-ca.key local-ca.pem",
                         folder});
  ASSERT_EQ(made.exit_code, 0) << made.errors;
  json::object echoed = json::parse(legacy.body).as_object();  // those versions echo the whole answer
  echoed["root-crt"] = read_text(folder / "factory_ca.pem");
  echoed["tls-crt"] = read_text(folder / "tls-crt");
  echoed["ca-crt"] = read_text(folder / "online-crt") + "\n" + read_text(folder / "local-ca.pem");
  echoed["est-tls-crt"] = "";
  const Answer taken = server.ask("PATCH", "/ota/factories/acme/certs/", json::serialize(echoed));
  EXPECT_EQ(taken.status, 200) << taken.body;
  const Registered device = register_by_api(server, Device::make());
  const auto verified = run({"sh", "-c",
                             "printf '%s' \"$1\" >\"$0/device.pem\" && cat \"$0/online-crt\" >\"$0/chain.pem\" && "
                             "openssl verify -CAfile \"$0/factory_ca.pem\" -untrusted \"$0/chain.pem\" \"$0/device.pem\"",
                             folder, device.certificate});
  EXPECT_EQ(verified.exit_code, 0) << verified.errors << verified.output;
  server.serve({"api=127.0.0.1:0", "gateway=127.0.0.1:0"});
  EXPECT_EQ(server.visit_gateway(device.certificate, device.key, folder / "factory_ca.pem"), 200);
  // Birthmark's own tool goes on with what the scripts made.
  EXPECT_EQ(server.ca({"rotate-tls", folder}).exit_code, 0);
}

TEST(ApiPki, TheListenerIsHttpsBesidesLoopback) {
  ApiServer server;
  server.factory().configure("api", "tls = \"own\"");
  server.serve({"api=127.0.0.1:0"});
  const std::string url = "https://localhost:" + std::to_string(server.process().port("api"));
  const auto fetched = run({"curl", "--silent", "--max-time", "30", "--cacert", server.factory().directory() / "site-ca.pem", "--write-out",
                            " %{http_code}", url + "/ota/factories/acme/certs/"});
  EXPECT_TRUE(fetched.output.ends_with(" 401")) << fetched.output << fetched.errors;
  const auto key = std::filesystem::status(server.factory().directory() / "keys" / "api.key").permissions();
  EXPECT_EQ(key, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
}

}  // namespace
}  // namespace birthmark::e2e
