// SPDX-License-Identifier: Apache-2.0
// What is refused, in the order the reference checks and with the phrases its tests look for, as JSON (protocol facts, Foundries 4.2). The
// table's row order is the precedence. What the reference answered with 500 is a 400 here.
#include <gtest/gtest.h>

#include "sign_server.h"

namespace birthmark::conformance {
namespace {

namespace json = boost::json;

// A registration that would succeed, with one member replaced.
std::string changed(std::string_view member, const json::value& value) {
  json::object body = Device::make().request();
  body[member] = value;
  return json::serialize(body);
}
std::string without(std::string_view member) {
  json::object body = Device::make().request();
  body.erase(member);
  return json::serialize(body);
}

void expect_refused(const std::string& body, std::string_view phrase, int status = 400) {
  const Answer answer = default_server().post(body);
  EXPECT_EQ(answer.status, status) << body.substr(0, 200);
  EXPECT_NE(answer.message().find(phrase), std::string::npos) << body.substr(0, 200) << "\n" << answer.body;
}

void expect_signed(const std::string& body) {
  const Answer answer = default_server().post(body);
  EXPECT_EQ(answer.status, 201) << body.substr(0, 300) << "\n" << answer.body;
}

const std::vector<json::value>& falsy() {
  static const std::vector<json::value> kValues{nullptr, "", false, 0, 0.0, json::array{}, json::object{}};
  return kValues;
}

TEST(SignOrder, ContentTypeOtherThanJsonIs415BeforeTheBodyIsLookedAt) {
  for (const char* type :
       {"", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/jsonp", "json"}) {
    EXPECT_EQ(default_server().post("not even JSON", type).status, 415) << type;
    EXPECT_EQ(default_server().post(Device::make().body(), type).status, 415) << type;
  }
}

TEST(SignOrder, JsonInAnyCaseWithParametersOrAsSuffixIsTaken) {
  for (const char* type : {"application/json", "APPLICATION/JSON", "application/json; charset=utf-8", "application/json;charset=UTF-8",
                           "application/problem+json", "application/vnd.acme+JSON ; v=1"}) {
    EXPECT_EQ(default_server().post(Device::make().body(), type).status, 201) << type;
  }
}

TEST(SignOrder, UnreadableBodiesAre400) {
  const std::string deep = std::string(5000, '[') + std::string(5000, ']');
  for (const std::string& body :
       {std::string("{"), std::string(" "), std::string(), std::string("{\"csr\": }"), std::string("{} {}"), deep,
        std::string("{\"csr\":\"\xff\xfe\"}"), std::string("{'csr':1}"), std::string("{\"a\":1,}"), std::string("nul"),
        std::string("\xef\xbb\xbf{}"), std::string("{\"\0\":1}", 7), std::string("{\"csr\":\"\\ud800\"}")}) {
    EXPECT_EQ(default_server().post(body).status, 400) << body.substr(0, 40);
  }
}

TEST(SignOrder, AFalsyBodyIsAMissingOne) {
  for (const json::value& body : falsy()) expect_refused(json::serialize(body), "Missing request body");
}

TEST(SignOrder, ABodyThatIsNoObjectIsRefused) {
  for (const char* body : {"[1]", "\"x\"", "1", "true", "1e999", "-1e999"}) EXPECT_EQ(default_server().post(body).status, 400) << body;
}

TEST(SignOrder, CsrIsMissing) {
  expect_refused(R"({"data": 12})", "Missing required field 'csr'");
  expect_refused(without("csr"), "Missing required field 'csr'");
  for (const json::value& value : falsy()) expect_refused(changed("csr", value), "Missing required field 'csr'");
}

TEST(SignOrder, CsrIsNoString) {
  for (const json::value& value : {json::value(1), json::value(true), json::value(json::array{"x"}), json::value(json::object{{"a", 1}})})
    expect_refused(changed("csr", value), "Invalid data type for 'csr'");
}

TEST(SignOrder, CsrIsCheckedBeforeHardwareId) {
  expect_refused(R"({"csr": 1})", "Invalid data type for 'csr'");
}

TEST(SignOrder, HardwareIdIsMissing) {
  expect_refused(without("hardware-id"), "Missing required field 'hardware-id'");
  for (const json::value& value : falsy()) expect_refused(changed("hardware-id", value), "Missing required field 'hardware-id'");
  expect_refused(R"({"csr": "not PEM"})", "Missing required field 'hardware-id'");
}

TEST(SignOrder, GroupIsRefusedUnlessEmpty) {
  constexpr std::string_view kPhrase = "Registration-reference does not support 'group' field";
  expect_refused(changed("group", "grp"), kPhrase);
  expect_refused(changed("group", 1), kPhrase);
  expect_refused(changed("group", json::object{{"a", 1}}), kPhrase);
  expect_refused(R"({"csr": "not PEM", "hardware-id": "x", "group": "g"})", kPhrase);
  for (const json::value& value : falsy()) expect_signed(changed("group", value));
}

TEST(SignOrder, CsrThatIsNoPem) {
  for (const std::string& csr : {std::string("bad csr"), std::string("-----BEGIN CERTIFICATE REQUEST-----"),
                                 std::string("-----BEGIN CERTIFICATE REQUEST-----\n!!!!\n-----END CERTIFICATE REQUEST-----\n"),
                                 std::string("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"), std::string("\0", 1)}) {
    const Answer answer = default_server().post(changed("csr", json::value(csr)));
    EXPECT_EQ(answer.status, 400);
    EXPECT_TRUE(answer.message().starts_with("Unable to load PEM file.")) << answer.body;
  }
}

TEST(SignOrder, TheFactoryMustBeOurs) {
  expect_refused(Device::make(e2e::random_uuid(), "blah").body(), "Invalid factory(blah) must be acme");
  expect_refused(Device::make(e2e::random_uuid(), "ACME").body(), "Invalid factory(ACME) must be acme");
  expect_refused(Device::make(e2e::random_uuid(), "").body(), "Invalid factory() must be acme");
}

TEST(SignOrder, TheCommonNameMustBeAUuid) {
  for (const char* name : {"ab", "12-34-56", "no uuid", "..", "../../etc/passwd", "7C1F2F5E-8F0B-4A5E-9C58-1F0F9D5E3A1", "ab ",
                           "7c1f2f5e8f0b4a5e9c581f0f9d5e3a11", "{7c1f2f5e-8f0b-4a5e-9c58-1f0f9d5e3a11}"}) {
    const Answer answer = default_server().post(e2e::request_with(Device::make(name).csr));
    EXPECT_EQ(answer.status, 400) << name;
  }
}

// The reference answered the first two with 500 and signed the others.
TEST(SignOrder, SubjectsThatNobodyMayCertify) {
  for (const auto& [name, phrase] : {std::pair{"no-common-name", "common name"},
                                     {"no-unit", "Invalid factory() must be acme"},
                                     {"no-subject", ""},
                                     {"two-names", "exactly one common name"},
                                     {"two-units", "Invalid factory(acme, other)"},
                                     {"extra-attribute", "subject may hold only"},
                                     {"other-category", "businessCategory"}}) {
    expect_refused(json::serialize(e2e::request_with(test_data("requests/" + std::string(name) + ".pem"))), phrase);
  }
}

TEST(SignOrder, UuidAndCommonNameMustAgree) {
  expect_refused(changed("uuid", json::value(e2e::random_uuid())), "is not the CSR's common name");
  Device device = Device::make("7c1f2f5e-8f0b-4a5e-9c58-1f0f9d5e3aff");
  json::object body = device.request();
  body["uuid"] = "7C1F2F5E-8F0B-4A5E-9C58-1F0F9D5E3AFF";
  expect_signed(json::serialize(body));
  body.erase("uuid");
  expect_signed(json::serialize(body));
}

TEST(SignOrder, OverridesOfAnotherShape) {
  for (const json::value& overrides : {json::value("x"), json::value(json::array{1}), json::value(1), json::value(true)})
    EXPECT_EQ(default_server().post(changed("overrides", overrides)).status, 400) << json::serialize(overrides);
  for (const json::value& section : {json::value("x"), json::value(json::array{}), json::value(1), json::value(nullptr), json::value(true)})
    EXPECT_EQ(default_server().post(changed("overrides", json::object{{"pacman", section}})).status, 400) << json::serialize(section);
  for (const json::value& value : {json::value(json::array{}), json::value(json::object{})})
    EXPECT_EQ(default_server().post(changed("overrides", json::object{{"pacman", json::object{{"tags", value}}}})).status, 400)
        << json::serialize(value);
}

TEST(SignOrder, AnotherKeyForAKnownDeviceIs409) {
  const std::string uuid = e2e::random_uuid();
  expect_signed(Device::make(uuid).body());
  expect_refused(Device::make(uuid).body(), "already registered with another key", 409);
}

TEST(SignOrder, ADeniedDeviceIs403) {
  const Device device = Device::make();
  expect_signed(device.body());
  default_server().factory().command({"device", "deny", device.uuid, "--reason", "lost"});
  expect_refused(device.body(), "denied", 403);
  expect_refused(Device::make(device.uuid).body(), "denied", 403);
}

TEST(SignOrder, BodiesOverTheLimitAre413) {
  json::object body = Device::make().request();
  body["padding"] = std::string(70'000, 'x');
  EXPECT_EQ(default_server().post(body).status, 413);
}

TEST(SignOrder, ARefusalLeavesNoDeviceBehind) {
  const std::string uuid = e2e::random_uuid();
  expect_refused(Device::make(uuid, "blah").body(), "Invalid factory");
  EXPECT_EQ(default_server().factory().birthmark({"device", "show", uuid, "--dir", default_server().factory().directory()}).exit_code, 1);
}

}  // namespace
}  // namespace birthmark::conformance
