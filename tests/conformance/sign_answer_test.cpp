// SPDX-License-Identifier: Apache-2.0
// The 201: four members and no other, each a file the client writes as it is, and a certificate of the right shape (protocol facts,
// Foundries 0.1, 0.2, 4.3 and 4.4). And the requests of the real clients, octet for octet.
#include <gtest/gtest.h>

#include "base/pem.h"
#include "crypto/x509_codec.h"
#include "sign_server.h"

namespace birthmark::conformance {
namespace {

namespace json = boost::json;

json::object members_of(const Answer& answer) {
  boost::system::error_code failure;
  const json::value value = json::parse(answer.body, failure);
  e2e::require(!failure && value.is_object(), "no JSON object: " + answer.body);
  return value.get_object();
}

core::CertificateFacts facts_of(const std::string& pem) {
  static const auto codec = crypto::make_x509_codec();
  const auto block = decode_first_pem(pem);
  e2e::require(block.has_value() && block->label == "CERTIFICATE", "no certificate: " + pem);
  const auto facts = (*codec)->read_certificate(block->contents);
  e2e::require(facts.has_value(), "not a certificate that we can read");
  return *facts;
}

std::string pki_file(const char* name) {
  return e2e::read_text(default_server().factory().pki() / name);
}

// The body of the POST in the capture; its lines were written down with LF.
std::string captured_post() {
  const std::string capture = test_data("foundries/lmp-device-register-http.txt");
  const std::size_t post = capture.find("<<< POST /sign HTTP/1.1\n");
  e2e::require(post != std::string::npos, "no POST in the capture");
  std::string body = capture.substr(capture.find("\n\n", post) + 2);
  return body.substr(0, body.rfind('}') + 1) + "\n";
}

TEST(SignAnswer, HasTheFourMembersAndNoOther) {
  const Answer answer = default_server().post(Device::make().body());
  ASSERT_EQ(answer.status, 201) << answer.body;
  const json::object members = members_of(answer);
  EXPECT_EQ(members.size(), 4U);
  for (const char* name : {"root.crt", "client.pem", "sota.toml", "client.chained"}) {
    ASSERT_TRUE(members.contains(name)) << name;
    EXPECT_TRUE(members.at(name).is_string()) << name;
  }
}

TEST(SignAnswer, MembersAreWholeFiles) {
  const Answer answer = default_server().post(Device::make().body());
  EXPECT_EQ(answer.member("root.crt"), pki_file("factory_ca.pem"));
  EXPECT_EQ(decode_pem(answer.member("client.pem"))->size(), 1U) << "the leaf alone";
  EXPECT_EQ(answer.member("client.chained"), answer.member("client.pem") + "\n" + pki_file("local-ca.pem"));
}

TEST(SignAnswer, TheCertificateIsTheDevices) {
  const Device device = Device::make();
  const core::CertificateFacts facts = facts_of(default_server().post(device.body()).member("client.pem"));
  const core::CertificateFacts issuer = facts_of(pki_file("local-ca.pem"));
  EXPECT_EQ(facts.spki_sha256, device.key.spki_sha256());
  EXPECT_EQ(facts.values(core::NameAttributeType::common_name), std::vector<std::string_view>{device.uuid});
  EXPECT_EQ(facts.values(core::NameAttributeType::organizational_unit), std::vector<std::string_view>{"acme"});
  EXPECT_TRUE(facts.values(core::NameAttributeType::business_category).empty());
  EXPECT_EQ(facts.issuer_der, issuer.subject_der);
  EXPECT_EQ(facts.authority_key_id, issuer.subject_key_id);
  EXPECT_FALSE(facts.subject_key_id.empty());
  EXPECT_LE(facts.not_after, issuer.not_after);
  EXPECT_LE(facts.serial.size(), 20U);
  EXPECT_EQ(facts.key_usage, std::uint16_t{1});
  EXPECT_TRUE(facts.client_auth);
  EXPECT_FALSE(facts.server_auth);
  EXPECT_FALSE(facts.is_ca);
}

TEST(SignAnswer, ProductionIsCertifiedWhenTheDeviceAsks) {
  const Answer answer = default_server().post(Device::make(e2e::random_uuid(), "acme", true).body());
  EXPECT_EQ(facts_of(answer.member("client.pem")).values(core::NameAttributeType::business_category),
            std::vector<std::string_view>{"production"});
}

TEST(SignAnswer, TheSameKeyAgainGetsTheSameCertificate) {
  const Device device = Device::make();
  const Answer first = default_server().post(device.body());
  ASSERT_EQ(first.status, 201);
  json::object later = device.request();
  later["hardware-id"] = "another";
  const Answer again = default_server().post(later);
  EXPECT_EQ(again.status, 201);
  EXPECT_EQ(again.member("client.pem"), first.member("client.pem"));
  EXPECT_EQ(default_server().post(device.body()).body, first.body);
}

TEST(SignAnswer, TheCaptureOfLmpDeviceRegisterIsRefusedForItsGroup) {
  const Answer answer = default_server().post(captured_post());
  EXPECT_EQ(answer.status, 400);
  EXPECT_EQ(answer.message(), "Registration-reference does not support 'group' field");
}

TEST(SignAnswer, TheCaptureWithoutItsGroupIsSigned) {
  std::string body = captured_post();
  constexpr std::string_view kGroup = ",\n    \"group\": \"grp\"";
  const std::size_t at = body.find(kGroup);
  ASSERT_NE(at, std::string::npos);
  body.erase(at, kGroup.size());
  const Answer answer = default_server().post(body);
  ASSERT_EQ(answer.status, 201) << answer.body;
  const auto facts = facts_of(answer.member("client.pem"));
  EXPECT_EQ(facts.values(core::NameAttributeType::common_name), std::vector<std::string_view>{"28d32f3a-4387-4ecf-91ae-872d54289179"});
  EXPECT_EQ(facts.values(core::NameAttributeType::business_category), std::vector<std::string_view>{"production"});
  EXPECT_NE(answer.member("sota.toml").find("compose_apps_root = \"/var/lib_sota/test/t/sX/compose-apps\"\n"), std::string::npos);
}

TEST(SignAnswer, TheCaptureOfAnHsmDeviceIsSigned) {
  const Answer answer = default_server().post(test_data("foundries/lmp-device-register-post-hsm.json"));
  ASSERT_EQ(answer.status, 201) << answer.body;
  const std::string toml = answer.member("sota.toml");
  EXPECT_NE(toml.find("[storage]\ntype = \"sqlite\"\npath = \"/var/lib_sota/test/t/sX/\"\n# tls_pkey_path is not set\n"), std::string::npos)
      << toml;
  EXPECT_NE(toml.find("pkey_source = \"pkcs11\"\n"), std::string::npos) << toml;
}

TEST(SignAnswer, NativeTypesAndStringsAreBothTaken) {
  for (const json::value& wanted : {json::value("true"), json::value("false"), json::value(true), json::value(1)}) {
    json::object body = Device::make().request();
    body["use-ostree-server"] = wanted;
    EXPECT_EQ(default_server().post(body).status, 201) << json::serialize(wanted);
  }
  json::object body = Device::make().request();
  body["hardware-id"] = 17;
  body["name"] = true;
  body["overrides"] = json::object{{"pacman", json::object{{"poll", 300}, {"on", true}, {"off", nullptr}}}};
  const Answer answer = default_server().post(body);
  ASSERT_EQ(answer.status, 201) << answer.body;
  const std::string toml = answer.member("sota.toml");
  EXPECT_NE(toml.find("primary_ecu_hardware_id = \"17\"\n"), std::string::npos) << toml;
  EXPECT_NE(toml.find("poll = 300\non = true\n# off is not set\n"), std::string::npos) << toml;
}

TEST(SignAnswer, MembersNobodyKnowsAreIgnored) {
  json::object body = Device::make().request();
  body["client.pem"] = "mine";
  body["x"] = json::array{json::object{{"y", 1}}};
  EXPECT_EQ(default_server().post(body).status, 201);
}

TEST(SignAnswer, WhatAPropertyTreeWritesIsTaken) {
  // An empty object comes out as "" and every slash escaped.
  json::object body = Device::make().request();
  body["overrides"] = "";
  EXPECT_EQ(default_server().post(body).status, 201);
  body = Device::make().request();
  body["overrides"] = json::object{{"pacman", ""}};
  std::string text = json::serialize(body);
  for (std::size_t at = text.find('/'); at != std::string::npos; at = text.find('/', at + 2)) text.insert(at, "\\");
  const Answer answer = default_server().post(text);
  ASSERT_EQ(answer.status, 201) << answer.body;
  EXPECT_NE(answer.member("sota.toml").find("path = \"/var/sota/\"\n"), std::string::npos);
}

TEST(SignAnswer, TheReferencesFakeClientRegisters) {
  const Device device = Device::make();
  json::object body{{"name", device.uuid},
                    {"uuid", device.uuid},
                    {"csr", device.csr},
                    {"hardware-id", "intel-corei7-64"},
                    {"sota-config-dir", "/var/sota"}};
  body["overrides"] = json::object{
      {"pacman",
       json::object{{"type", "\"ostree+compose_apps\""}, {"tags", "\"master\""}, {"compose_apps_root", "/var/sota/compose-apps"}}}};
  const Answer answer = default_server().post(body);
  ASSERT_EQ(answer.status, 201) << answer.body;
  EXPECT_NE(answer.member("sota.toml").find("compose_apps_root = /var/sota/compose-apps\n"), std::string::npos)
      << "unquoted, as it was sent";
}

}  // namespace
}  // namespace birthmark::conformance
