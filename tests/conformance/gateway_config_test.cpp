// SPDX-License-Identifier: Apache-2.0
// What operators set and devices get (protocol facts, gateway 3.2, 3.3 and 3.7): `birthmark config` on one side, curl on the other.
#include <gtest/gtest.h>

#include "base/text.h"
#include "crypto/ecies.h"
#include "gateway_server.h"

namespace birthmark::conformance {
namespace {

class ConfigOfDevices : public ::testing::Test {
 protected:
  static GatewayServer& gateway() {
    static GatewayServer server;
    return server;
  }
  static std::string file(const std::string& contents) {
    const auto path = gateway().factory().scratch() / "value";
    e2e::write_text(path, contents);
    return path;
  }
  static void set(const std::vector<std::string>& level, const std::string& name, const std::string& contents,
                  const std::vector<std::string>& more = {}) {
    e2e::Arguments arguments{"config", "set", name + "=" + file(contents), "--reason", "test"};
    arguments.insert(arguments.end(), level.begin(), level.end());
    arguments.insert(arguments.end(), more.begin(), more.end());
    gateway().factory().command(arguments);
  }
  static boost::json::object config(const GatewayDevice& device) {
    const auto answer = gateway().get(device, "/config");
    EXPECT_EQ(answer.status, 200) << answer.body;
    return answer.status == 200 ? boost::json::parse(answer.body).as_object() : boost::json::object();
  }
  static std::string value(const boost::json::object& config, const std::string& name) {
    const auto* found = config.if_contains(name);
    return found == nullptr ? "(none)" : std::string(found->as_object().at("Value").as_string());
  }
};

TEST_F(ConfigOfDevices, TheMoreSpecificLevelReplacesAFileAndTomlIsMerged) {
  const GatewayDevice device = gateway().make_device();
  ASSERT_EQ(gateway().get(device, "/device").status, 200);
  gateway().factory().command({"device", "group", device.uuid, "lab", "--reason", "test"});
  set({"--factory"}, "motd", "everybody");
  set({"--factory"}, "banner", "factory");
  set({"--group", "lab"}, "banner", "lab");
  set({"--group", "lab"}, "z-50-fioctl.toml", "[pacman]\ntags = \"main\"\ncompose_apps = \"a,b\"\n",
      {"--on-changed", "/usr/share/fioconfig/handlers/aktualizr-toml-update"});
  set({"--device", device.uuid}, "z-50-fioctl.toml", "[pacman]\ntags = \"devel\"\n[bootloader]\nrollback = \"1\"\n");
  const auto got = config(device);
  EXPECT_EQ(value(got, "motd"), "everybody");
  EXPECT_EQ(value(got, "banner"), "lab");
  const std::string toml = value(got, "z-50-fioctl.toml");
  for (const char* line : {"tags = 'devel'", "compose_apps = 'a,b'", "rollback = '1'"}) {
    std::string double_quoted(line);
    for (char& c : double_quoted) c = c == '\'' ? '"' : c;
    EXPECT_TRUE(toml.find(line) != std::string::npos || toml.find(double_quoted) != std::string::npos) << toml;
  }
  EXPECT_FALSE(got.at("z-50-fioctl.toml").as_object().contains("OnChanged"));  // the attributes are those of the most specific level
}

TEST_F(ConfigOfDevices, EveryChangeIsSeenAlsoOneOfTheGroup) {
  const GatewayDevice device = gateway().make_device();
  set({"--group", "blue"}, "colour", "blue");
  set({"--group", "red"}, "colour", "red");
  set({"--factory"}, "motd", "x");
  const auto date = [&] { return gateway().get(device, "/config").header("date"); };
  std::string held = date();
  const auto changed = [&] {
    const auto answer = gateway().get(device, "/config", {"If-Modified-Since: " + held});
    held = answer.status == 200 ? answer.header("date") : held;
    return answer.status;
  };
  EXPECT_EQ(changed(), 304);
  for (const char* group : {"blue", "red", "blue"}) {
    gateway().factory().command({"device", "group", device.uuid, group, "--reason", "test"});
    EXPECT_EQ(changed(), 200) << group;
    EXPECT_EQ(value(config(device), "colour"), group);
    EXPECT_EQ(changed(), 304);
  }
  set({"--factory"}, "motd", "y");
  EXPECT_EQ(changed(), 200);
  gateway().factory().command({"config", "delete", "motd", "--factory", "--reason", "test"});
  EXPECT_EQ(changed(), 200);
  EXPECT_EQ(value(config(device), "motd"), "(none)");
}

TEST_F(ConfigOfDevices, AnEncryptedValueIsForTheDeviceAlone) {
  const GatewayDevice device = gateway().register_device();
  const auto key = crypto::PrivateKey::from_pem(device.certificate.key_pem);
  ASSERT_TRUE(key);
  for (const std::string secret : {"correct horse", ""}) {
    set({"--device", device.uuid}, "wifi-password", secret, {"--encrypt"});
    const auto got = config(device).at("wifi-password").as_object();
    EXPECT_FALSE(got.contains("Unencrypted"));
    const auto message = from_base64(std::string_view(got.at("Value").as_string()));
    ASSERT_TRUE(message);
    const auto read = crypto::ecies_decrypt(key->get(), *message);
    ASSERT_TRUE(read) << read.error().describe();
    EXPECT_EQ(as_text(*read), secret);
  }
  const auto for_all = gateway().factory().birthmark(
      {"config", "set", "x=" + file("s"), "--factory", "--encrypt", "--reason", "test", "--dir", gateway().factory().directory()});
  EXPECT_EQ(for_all.exit_code, 1);
}

TEST_F(ConfigOfDevices, NamesThatLeadOutAndUnknownDevicesAreRefused) {
  const auto refused = [&](const std::string& name, const std::vector<std::string>& level) {
    e2e::Arguments arguments{"config", "set", name + "=" + file("x"), "--reason", "test", "--dir", gateway().factory().directory()};
    arguments.insert(arguments.end(), level.begin(), level.end());
    return gateway().factory().birthmark(arguments).exit_code;
  };
  EXPECT_EQ(refused("../x", {"--factory"}), 1);
  EXPECT_EQ(refused("/x", {"--factory"}), 1);
  EXPECT_EQ(refused("a//b", {"--factory"}), 1);
  EXPECT_EQ(refused("x", {"--device", "nobody"}), 1);
  EXPECT_EQ(refused("x", {}), 1);
}

TEST_F(ConfigOfDevices, RotateSendsWhatFioconfigsHandlerReads) {
  const GatewayDevice device = gateway().make_device();
  ASSERT_EQ(gateway().get(device, "/device").status, 200);
  gateway().factory().command({"device", "rotate", device.uuid, "--reason", "yearly"});
  const auto got = config(device);
  const std::string text = value(got, "fio-rotate-certs");
  EXPECT_TRUE(
      text.starts_with("ESTSERVER=https://x.ota-lite.example:8443/.well-known/est\nPKEYIDS=01,07\nCERTIDS=03,09\nROTATIONID=certs-"));
  EXPECT_EQ(got.at("fio-rotate-certs").as_object().at("OnChanged").as_array().at(0).as_string(),
            "/usr/share/fioconfig/handlers/renew-client-cert");
}

TEST_F(ConfigOfDevices, TenVersionsAreKept) {
  for (int i = 0; i < 12; ++i) set({"--group", "history"}, "n", std::to_string(i));
  const std::string rows = gateway().factory().command({"config", "history", "--group", "history", "--format", "json"});
  EXPECT_EQ(std::count(rows.begin(), rows.end(), '\n'), 10);
  EXPECT_EQ(gateway().factory().command({"config", "get", "n", "--group", "history"}), "11");
}

}  // namespace
}  // namespace birthmark::conformance
