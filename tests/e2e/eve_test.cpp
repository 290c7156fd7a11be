// SPDX-License-Identifier: Apache-2.0
// Both built programs over real sockets: the controller, and the agent that registers a device by the files of /config. The agent is killed
// at every one of its named points (docs/reference/crash-points.md); whatever happens there is one device record and one key.
#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json.hpp>
#include <csignal>

#include "server_process.h"

namespace birthmark::e2e {
namespace {

namespace json = boost::json;
namespace fs = std::filesystem;

Arguments agent(const fs::path& config, const Arguments& more = {}) {
  Arguments arguments{BIRTHMARK_DEVICE_PROGRAM, "eve-onboard", "--config-dir", config, "--serial", "S 1", "--first-delay", "0"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

std::string without_line_end(std::string text) {
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

class EveEndToEnd : public ::testing::Test {
 protected:
  EveEndToEnd() {
    factory.command({"onboard", "rotate", "tls", "--name", "localhost,127.0.0.1"});
    ServerProcess::Options options;
    options.listen = {"eve=127.0.0.1:0"};
    server = factory.serve(options);
    address = "localhost:" + std::to_string(server->port("eve"));
  }
  // A node's /config; its onboarding certificate lets "S 1" in.
  fs::path make_config(const std::string& name, const std::string& serial = "S 1") {
    const fs::path config = factory.scratch() / name;
    factory.command({"onboard", "eve-config", config, "--server", address, "--name", name, "--serial", serial});
    return config;
  }
  json::array nodes() {
    json::array rows;
    std::string text = factory.command({"onboard", "nodes", "--format", "json"});
    for (std::size_t end = text.find('\n'); end != std::string::npos; end = text.find('\n')) {
      rows.push_back(json::parse(text.substr(0, end)));
      text.erase(0, end + 1);
    }
    return rows;
  }
  static void expect_registered(const fs::path& config) {
    EXPECT_FALSE(fs::exists(config / "self-register-pending"));
    EXPECT_EQ(without_line_end(read_text(config / "uuid")).size(), 36U);
    EXPECT_NE(read_text(config / "onboard-status.json").find("\"registered\""), std::string::npos);
  }

  Factory factory;
  std::unique_ptr<ServerProcess> server;
  std::string address;
};

TEST_F(EveEndToEnd, TheAgentRegistersInV2AndV1AndAgain) {
  for (const char* api : {"v2", "v1"}) {
    const fs::path config = make_config(std::string("stick-") + api);
    const Outcome first = run(agent(config, {"--api", api, "--attempts", "3"}));
    ASSERT_EQ(first.exit_code, 0) << first.errors << server->log_text();
    expect_registered(config);
    const std::string key = read_text(config / "device.key.pem"), uuid = read_text(config / "uuid");
    EXPECT_EQ(run(agent(config, {"--api", api, "--attempts", "1"})).exit_code, 0);
    const Outcome again = run(agent(config, {"--api", api, "--attempts", "1", "--again"}));
    EXPECT_EQ(again.exit_code, 0) << again.errors;
    EXPECT_EQ(read_text(config / "device.key.pem"), key);
    EXPECT_EQ(read_text(config / "uuid"), uuid);
    EXPECT_EQ(fs::status(config / "device.key.pem").permissions(), fs::perms::owner_read | fs::perms::owner_write);
  }
  EXPECT_EQ(nodes().size(), 2U);
  EXPECT_EQ(factory.birthmark({"audit", "verify", "--dir", factory.directory()}).exit_code, 0);
}

TEST_F(EveEndToEnd, WhoIsNotAnnouncedIsRefusedUntilAnOperatorAccepts) {
  const fs::path config = make_config("stick", "another serial");
  const Outcome refused = run(agent(config, {"--attempts", "1"}));
  EXPECT_EQ(refused.exit_code, 1) << refused.errors;
  EXPECT_TRUE(fs::exists(config / "self-register-pending"));
  const json::value knock = json::parse(factory.command({"onboard", "pending", "--format", "json"}));
  EXPECT_EQ(knock.at("serial").as_string(), "S 1");
  factory.command({"onboard", "accept", std::to_string(knock.at("number").as_int64())});
  const Outcome accepted = run(agent(config, {"--attempts", "1"}));
  EXPECT_EQ(accepted.exit_code, 0) << accepted.errors;
  expect_registered(config);
}

TEST_F(EveEndToEnd, AnIncompleteConfigAndAForeignControllerAreToldApart) {
  const fs::path config = make_config("stick");
  const std::string root = read_text(config / "root-certificate.pem");
  fs::remove(config / "server");
  EXPECT_EQ(run(agent(config, {"--attempts", "1"})).exit_code, 3);
  EXPECT_FALSE(fs::exists(config / "device.key.pem"));
  write_text(config / "server", address + "\n");
  write_text(config / "root-certificate.pem", read_text(config / "onboard.cert.pem"));
  EXPECT_EQ(run(agent(config, {"--attempts", "1"})).exit_code, 4);
  write_text(config / "root-certificate.pem", root);
  EXPECT_EQ(run(agent(config, {"--attempts", "1"})).exit_code, 0);
}

TEST_F(EveEndToEnd, SigningIsRotatedWithoutLosingANode) {
  const fs::path config = make_config("stick");
  ASSERT_EQ(run(agent(config, {"--attempts", "1"})).exit_code, 0);
  for (const char* step : {"publish", "sign", "ecdh", "tls"}) {
    Arguments arguments{"onboard", "rotate", step};
    if (std::string(step) == "tls") arguments.insert(arguments.end(), {"--name", "localhost"});
    factory.command(arguments);
  }
  const Outcome after = run(agent(config, {"--attempts", "1", "--again"}));
  EXPECT_EQ(after.exit_code, 0) << after.errors;
  EXPECT_EQ(nodes().size(), 1U);
}

TEST_F(EveEndToEnd, AnImageOfConfigCanBeReadByOthers) {
  const fs::path image = factory.scratch() / "config.img", tar = factory.scratch() / "config.tar";
  factory.command(
      {"onboard", "eve-config", factory.scratch() / "c", "--server", address, "--soft-serial", "new", "--image", image, "--tar", tar});
  const Outcome listed = run({"tar", "tf", tar});
  EXPECT_EQ(listed.exit_code, 0);
  EXPECT_NE(listed.output.find("v2tlsbaseroot-certificates.pem"), std::string::npos);
  const Outcome type = run({"mdir", "-i", image, "-b", "::"});
  if (type.exit_code == 127) GTEST_SKIP() << "mtools is not here";
  EXPECT_NE(type.output.find("root-certificate.pem"), std::string::npos) << type.errors;
  const Outcome read = run({"mtype", "-i", image, "::/v2tlsbaseroot-certificates.pem"});
  EXPECT_EQ(read.output, read_text(factory.scratch() / "c" / "root-certificate.pem")) << read.errors;
}

// The files of adam's database as it writes them (protocol facts, EVE 5.3).
TEST_F(EveEndToEnd, AnAdamIsTakenOverWithItsUuids) {
  const fs::path config = make_config("stick");
  ASSERT_EQ(run(agent(config, {"--attempts", "1"})).exit_code, 0);
  const std::string uuid = "0f0e0d0c-4a5b-4c6d-8e9f-000102030405";
  const fs::path adam = factory.scratch() / "adam", node = adam / "device" / uuid;
  fs::create_directories(node);
  fs::create_directories(adam / "onboard" / "stick");
  fs::copy(config / "onboard.cert.pem", adam / "onboard" / "stick" / "cert.pem");
  write_text(adam / "onboard" / "stick" / "onboard-serials.txt", "S 1\nS2\n");
  fs::copy(config / "device.cert.pem", node / "device-certificate.pem");
  fs::copy(config / "onboard.cert.pem", node / "onboard-certificate.pem");
  write_text(node / "serial.txt", "S 1");
  const Factory fresh;
  fresh.command({"import", "adam", adam});
  const json::value row = json::parse(without_line_end(fresh.command({"onboard", "nodes", "--format", "json"})));
  EXPECT_EQ(row.at("id").as_string(), uuid);
  EXPECT_EQ(row.at("serial").as_string(), "S 1");
  EXPECT_NE(fresh.command({"import", "adam", adam}).find("1 devices were known"), std::string::npos);
  write_text(node / "device-certificate.pem", "");  // as a power cut leaves it
  fs::rename(node, adam / "device" / "1f0e0d0c-4a5b-4c6d-8e9f-000102030405");
  EXPECT_EQ(fresh.birthmark({"import", "adam", adam, "--dir", fresh.directory()}).exit_code, 1);
}

// What is not synced is lost: the power goes at every sync, before it and after it, until a run passes none of them any more.
TEST_F(EveEndToEnd, CutOffAtEverySyncItIsOneDeviceWithOneKey) {
  unsigned sticks = 0, cut = 0;
  for (unsigned moment = 1; moment < 200; ++moment) {
    const fs::path config = make_config("cut-" + std::to_string(++sticks)), kept = config.string() + ".kept";
    fs::copy(config, kept);
    const std::vector<std::string> environment{std::string("LD_PRELOAD=") + BIRTHMARK_POWER_CUT,
                                               "BIRTHMARK_POWER_CUT_OF=" + config.string(), "BIRTHMARK_POWER_CUT_KEEPS=" + kept.string(),
                                               "BIRTHMARK_POWER_CUT_AT=" + std::to_string(moment)};
    const Outcome first = run(agent(config, {"--attempts", "1"}), environment);
    if (first.exit_code == 0) break;
    ++cut;
    fs::remove_all(config);
    fs::rename(kept, config);
    const fs::path key_file = config / "device.key.pem";
    const std::string key = fs::exists(key_file) ? read_text(key_file) : std::string();
    if (!key.empty() && !fs::exists(config / "uuid")) EXPECT_TRUE(fs::exists(config / "self-register-pending")) << moment;
    const Outcome next = run(agent(config, {"--attempts", "2"}));
    EXPECT_EQ(next.exit_code, 0) << moment << ": " << next.errors;
    if (!key.empty()) EXPECT_EQ(read_text(key_file), key) << moment;
    expect_registered(config);
    EXPECT_EQ(nodes().size(), sticks) << moment;
  }
  EXPECT_GE(cut, 16U) << "the power was cut too seldom to prove anything";
  EXPECT_LT(cut, 199U);
}

#ifdef BIRTHMARK_CRASH_POINTS
TEST_F(EveEndToEnd, KilledAtEveryStepItIsOneDeviceWithOneKey) {
  unsigned sticks = 0;
  for (const char* api : {"v2", "v1"}) {
    for (const char* point :
         {"device.before_pending", "device.after_pending", "device.before_key", "device.after_key", "device.after_certificate",
          "device.before_register", "device.after_register", "device.before_accepted", "device.after_accepted"}) {
      const fs::path config = make_config("stick-" + std::to_string(++sticks));
      const Outcome killed = run(agent(config, {"--attempts", "1", "--api", api}), {std::string("BIRTHMARK_CRASH_AT=") + point});
      EXPECT_NE(killed.exit_code, 0) << point << " was not passed";
      // Pending is there before a key is, and as long as the registration is not accepted.
      const bool has_key = fs::exists(config / "device.key.pem");
      if (has_key && !fs::exists(config / "uuid")) EXPECT_TRUE(fs::exists(config / "self-register-pending")) << point;
      const std::string key = has_key ? read_text(config / "device.key.pem") : std::string();
      const Outcome next = run(agent(config, {"--attempts", "2", "--api", api}));
      EXPECT_EQ(next.exit_code, 0) << point << ": " << next.errors;
      if (has_key) EXPECT_EQ(read_text(config / "device.key.pem"), key) << point;
      expect_registered(config);
      EXPECT_EQ(nodes().size(), sticks) << point;
    }
  }
}
#endif

}  // namespace
}  // namespace birthmark::e2e
