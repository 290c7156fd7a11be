// SPDX-License-Identifier: Apache-2.0
// Protocol facts, Foundries 4.5: the file byte for byte, and what may not break out of it.
#include "faces/sota_toml.h"

#include <gtest/gtest.h>

#include "faces/sign_request.h"

namespace birthmark::faces {
namespace {

constexpr SotaParameters kParameters{"intel-corei7-64", "/var/sota", "https://x.ota-lite.example:8443", "https://x.ostree.example:8443"};

constexpr std::string_view kPlain = R"([tls]
server = "https://x.ota-lite.example:8443"
ca_source = "file"
pkey_source = "file"
cert_source = "file"

[provision]
server = "https://x.ota-lite.example:8443"
primary_ecu_hardware_id = "intel-corei7-64"

[uptane]
repo_server = "https://x.ota-lite.example:8443/repo"
key_source = "file"

[pacman]
type = "ostree+compose_apps"
ostree_server = "https://x.ostree.example:8443/ostree"

[storage]
type = "sqlite"
path = "/var/sota/"

[import]
tls_cacert_path = "/var/sota/root.crt"
tls_pkey_path = "/var/sota/pkey.pem"
tls_clientcert_path = "/var/sota/client.pem"
)";

TEST(SotaToml, WithoutOverrides) {
  EXPECT_EQ(render_sota_toml(kParameters, {}), kPlain);
}

TEST(SotaToml, KnownKeyKeepsItsPlaceNewKeyIsAppendedUnknownSectionGoesLast) {
  const std::vector<TomlSectionOverride> overrides{{"tls", {{"pkey_source", "\"pkcs11\""}}},
                                                   {"pacman", {{"tags", "\"main\""}}},
                                                   {"import", {{"tls_pkey_path", ""}, {"tls_clientcert_path", std::nullopt}}},
                                                   {"extra", {{"hw", "\"{hardware_id}\""}, {"zero", ""}}}};
  const std::string toml = render_sota_toml(kParameters, overrides);
  EXPECT_NE(toml.find("ca_source = \"file\"\npkey_source = \"pkcs11\"\ncert_source = \"file\"\n"), std::string::npos);
  EXPECT_NE(toml.find("/ostree\"\ntags = \"main\"\n\n[storage]"), std::string::npos);
  EXPECT_NE(toml.find("root.crt\"\n# tls_pkey_path is not set\n# tls_clientcert_path is not set\n\n[extra]\nhw = \"intel-corei7-64\"\n# "
                      "zero is not set\n"),
            std::string::npos);
  EXPECT_TRUE(toml.ends_with("# zero is not set\n"));
}

TEST(SotaToml, BracesFollowTheReferenceAndAreOtherwiseVerbatim) {
  const auto value = [](const char* raw) {
    const std::string toml = render_sota_toml(kParameters, {{"x", {{"k", raw}}}});
    const std::size_t at = toml.find("k = ", toml.find("[x]")) + 4;
    return toml.substr(at, toml.size() - at - 1);
  };
  EXPECT_EQ(value("ostree_foo"), "ostree_foo");
  EXPECT_EQ(value("\"{gateway_server}/x\""), "\"https://x.ota-lite.example:8443/x\"");
  EXPECT_EQ(value("{{a}}"), "{a}");
  EXPECT_EQ(value("{ a = 1 }"), "{ a = 1 }");
  EXPECT_EQ(value("{gateway_server.__class__}"), "{gateway_server.__class__}");
}

TEST(SotaToml, HardwareIdAndDirectoryCannotInject) {
  for (const char* value : {"a\"b", "a\nb", "a\\b", "a\rb", "a\x7f", "\xff"}) EXPECT_FALSE(check_sota_value("hardware-id", value)) << value;
  EXPECT_TRUE(check_sota_value("hardware-id", "intel-corei7-64"));
  EXPECT_FALSE(check_sota_name("tls]\n[x"));
}

TEST(SignRequestBody, ScalarsMayBeStringsOrNative) {
  const auto request = parse_sign_request(
      R"({"csr":"x","hardware-id":"h","use-ostree-server":"true","overrides":{"p":{"a":1,"b":true,"c":null}},"sota-config-dir":"\/var\/x"})");
  ASSERT_TRUE(request) << request.error().public_message;
  EXPECT_EQ(request->sota_config_dir, "/var/x");
  ASSERT_EQ(request->overrides.size(), 1U);
  EXPECT_EQ(request->overrides[0].settings[0].value, "1");
  EXPECT_EQ(request->overrides[0].settings[1].value, "true");
  EXPECT_FALSE(request->overrides[0].settings[2].value);
}

// The rows of protocol facts, Foundries 4.2, that the body alone decides.
TEST(SignRequestBody, RefusalsHaveTheReferencesPhrases) {
  const std::pair<const char*, const char*> rows[] = {
      {"{}", "Missing request body"},
      {"[]", "Missing request body"},
      {"null", "Missing request body"},
      {"[1]", "must be a JSON object"},
      {"{", "not valid JSON"},
      {R"({"data":12})", "Missing required field 'csr'"},
      {R"({"csr":""})", "Missing required field 'csr'"},
      {R"({"csr":12})", "Invalid data type for 'csr'"},
      {R"({"csr":"x"})", "Missing required field 'hardware-id'"},
      {R"({"csr":"x","hardware-id":["h"]})", "Invalid data type for 'hardware-id'"},
      {R"({"csr":"x","hardware-id":"h","group":"g"})", "Registration-reference does not support 'group' field"},
      {R"({"csr":"x","hardware-id":"h","overrides":[1]})", "Invalid data type for 'overrides'"},
      {R"({"csr":"x","hardware-id":"h","overrides":{"tls":null}})", "Invalid data type for 'overrides.tls'"},
      {R"({"csr":"x","hardware-id":"h","overrides":{"tls":{"a":{}}}})", "Invalid data type for 'overrides.tls.a'"},
  };
  for (const auto& [body, phrase] : rows) {
    const auto request = parse_sign_request(body);
    ASSERT_FALSE(request) << body;
    EXPECT_NE(request.error().public_message.find(phrase), std::string::npos) << body << ": " << request.error().public_message;
  }
}

TEST(SignRequestBody, EmptyObjectsOfThePropertyTreeAreEmptyStrings) {
  EXPECT_TRUE(parse_sign_request(R"({"csr":"x","hardware-id":"h","group":"","overrides":""})"));
  EXPECT_TRUE(parse_sign_request(R"({"csr":"x","hardware-id":"h","overrides":{"tls":""}})"));
}

TEST(SignRequestBody, NestingIsLimited) {
  const std::string deep = std::string(5000, '[') + std::string(5000, ']');
  EXPECT_FALSE(parse_sign_request(deep));
}

TEST(ContentType, JsonAndItsRelatives) {
  for (const char* type : {"application/json", "Application/JSON", "application/json; charset=utf-8", "application/problem+json"})
    EXPECT_TRUE(is_json_content_type(type));
  for (const char* type : {"", "text/plain", "application/jsonx", "json"}) EXPECT_FALSE(is_json_content_type(type)) << type;
}

}  // namespace
}  // namespace birthmark::faces
