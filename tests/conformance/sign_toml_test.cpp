// SPDX-License-Identifier: Apache-2.0
// sota.toml, octet for octet (protocol facts, Foundries 4.5 and 4.7), and what may not get into it.
#include <gtest/gtest.h>

#include "sign_server.h"

namespace birthmark::conformance {
namespace {

namespace json = boost::json;

constexpr std::string_view kWithOverrides = R"toml([tls]
server = "https://x.ota-lite.example:8443"
ca_source = "file"
pkey_source = "pkcs11"
cert_source = "pkcs11"

[provision]
server = "https://x.ota-lite.example:8443"
primary_ecu_hardware_id = "intel-corei7-64"

[uptane]
repo_server = "https://x.ota-lite.example:8443/repo"
key_source = "file"

[pacman]
type = "ostree+compose_apps"
ostree_server = "https://x.ostree.example:8443/ostree"
compose_apps_root = "/var/sota/compose-apps"
reset_apps = ""
tags = "main"

[storage]
type = "sqlite"
path = "/var/sota/"
# tls_pkey_path is not set
# tls_clientcert_path is not set

[import]
tls_cacert_path = "/var/sota/root.crt"
# tls_pkey_path is not set
# tls_clientcert_path is not set

[extra]
hw = "intel-corei7-64"
# zero is not set
)toml";

constexpr std::string_view kWithoutOverrides = R"toml([tls]
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
)toml";

// A fresh device's answer with these overrides and members.
Answer answer_with(std::optional<json::value> overrides, const json::object& members = {}) {
  json::object body = Device::make().request();
  body.erase("overrides");
  if (overrides) body["overrides"] = *overrides;
  for (const auto& [name, value] : members) body[name] = value;
  return default_server().post(body);
}

std::string toml_with(std::optional<json::value> overrides, const json::object& members = {}) {
  const Answer answer = answer_with(std::move(overrides), members);
  EXPECT_EQ(answer.status, 201) << answer.body;
  return answer.member("sota.toml");
}

TEST(SignToml, IsTheExampleOfTheFacts) {
  const json::object overrides{{"tls", json::object{{"pkey_source", "\"pkcs11\""}, {"cert_source", "\"pkcs11\""}}},
                               {"storage", json::object{{"tls_pkey_path", ""}, {"tls_clientcert_path", ""}}},
                               {"import", json::object{{"tls_pkey_path", ""}, {"tls_clientcert_path", nullptr}}},
                               {"pacman", json::object{{"type", "\"ostree+compose_apps\""},
                                                       {"compose_apps_root", "\"/var/sota/compose-apps\""},
                                                       {"reset_apps", "\"\""},
                                                       {"tags", "\"main\""}}},
                               {"extra", json::object{{"hw", "\"{hardware_id}\""}, {"zero", ""}}}};
  EXPECT_EQ(toml_with(overrides), kWithOverrides);
}

TEST(SignToml, WithoutOverridesIsTheDefault) {
  EXPECT_EQ(toml_with(std::nullopt), kWithoutOverrides);
  EXPECT_EQ(toml_with(nullptr), kWithoutOverrides);
  EXPECT_EQ(toml_with(json::object{}), kWithoutOverrides);
  json::object body = Device::make().request();
  body.erase("overrides");
  body.erase("sota-config-dir");
  EXPECT_EQ(default_server().post(body).member("sota.toml"), kWithoutOverrides) << "/var/sota is the default directory";
}

TEST(SignToml, PassesUnquotedOverridesVerbatim) {
  const std::string toml = toml_with(json::object{{"pacman", json::object{{"type", "ostree_foo"}}}});
  EXPECT_NE(toml.find("[pacman]\ntype = ostree_foo\n"), std::string::npos) << toml;
  EXPECT_NE(toml.find("[provision]\nserver = \"https://x.ota-lite.example:8443\"\n"), std::string::npos) << toml;
}

TEST(SignToml, ExpandsTheFourNamesAndDoubledBracesOnly) {
  const json::object settings{{"a", "\"{gateway_server}|{ostree_server}|{sota_config_dir}|{hardware_id}\""},
                              {"b", "\"{{hardware_id}}\""},
                              {"c", "\"{gateway_server.__class__}\""},
                              {"d", "{"},
                              {"e", "\"{}\""}};
  const std::string toml = toml_with(json::object{{"extra", settings}});
  EXPECT_NE(toml.find("a = \"https://x.ota-lite.example:8443|https://x.ostree.example:8443|/var/sota|intel-corei7-64\"\n"
                      "b = \"{hardware_id}\"\n"
                      "c = \"{gateway_server.__class__}\"\n"
                      "d = {\n"
                      "e = \"{}\"\n"),
            std::string::npos)
      << toml;
}

TEST(SignToml, ExpandsWhatADeviceSendsOnlyOnce) {
  const std::string toml =
      toml_with(json::object{{"extra", json::object{{"hw", "\"{hardware_id}\""}}}}, {{"hardware-id", "{ostree_server}"}});
  EXPECT_NE(toml.find("hw = \"{ostree_server}\"\n"), std::string::npos) << toml;
}

TEST(SignToml, EndsInOneNewline) {
  const std::string toml = toml_with(json::object{{"z", json::object{{"last", "1\n\n\n"}}}});
  EXPECT_TRUE(toml.ends_with("[z]\nlast = 1\n")) << toml;
}

TEST(SignToml, HardwareIdAndDirectoryCannotBreakOut) {
  const std::vector<std::string> attempts{
      "x\"\n[tls]\nserver = \"https://evil.example\"",
      "x\"",
      "x\\",
      "x\ny",
      "x\ry",
      std::string("x\0y", 3),
      "x\ty",
      "x\x7fy",
      "\"",
      std::string(2000, 'x'),
  };
  for (const std::string& attempt : attempts) {
    for (const char* member : {"hardware-id", "sota-config-dir"}) {
      const Answer answer = answer_with(std::nullopt, {{member, attempt}});
      EXPECT_EQ(answer.status, 400) << member << ": " << attempt;
      EXPECT_NE(answer.message().find(member), std::string::npos) << answer.body;
    }
  }
  for (const char* member : {"hardware-id", "sota-config-dir"}) {
    EXPECT_EQ(answer_with(std::nullopt, {{member, json::object{{"a", 1}}}}).status, 400) << member;
    EXPECT_EQ(answer_with(std::nullopt, {{member, json::array{"a"}}}).status, 400) << member;
  }
}

TEST(SignToml, SectionAndKeyNamesCannotBreakOut) {
  for (const std::string& name :
       {std::string("a]\nb = 1\n[c"), std::string("\r"), std::string(), std::string("x\0y", 3), std::string(300, 'x')}) {
    EXPECT_EQ(answer_with(json::object{{name, json::object{{"k", "1"}}}}).status, 400) << name;
    EXPECT_EQ(answer_with(json::object{{"pacman", json::object{{name, "1"}}}}).status, 400) << name;
  }
}

}  // namespace
}  // namespace birthmark::conformance
