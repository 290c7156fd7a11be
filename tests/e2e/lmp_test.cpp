// SPDX-License-Identifier: Apache-2.0
// docs/operating/lmp.md: every file of the page, taken from it and run under dash in a network and with a /var of its own, against the
// built server on port 80; the vendor's printed script with and without `export`. lmp-device-register is a stand-in (lmp_test_client.sh).
#include <gtest/gtest.h>

#include <map>
#include <sstream>

#include "child_process.h"
#include "server_process.h"

namespace birthmark::e2e {
namespace {

namespace fs = std::filesystem;

constexpr const char* kDetached = "detached/lmp-device-auto-register";
constexpr const char* kPartially = "partially-detached/lmp-device-auto-register";

// The indented block behind each <!-- file: NAME -->.
std::map<std::string, std::string> files_of_page() {
  constexpr std::string_view kOpening = "<!-- file: ";
  std::map<std::string, std::string> files;
  std::istringstream lines(read_text(fs::path(BIRTHMARK_SOURCE_DIR) / "docs/operating/lmp.md"));
  std::string name;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with(kOpening)) {
      name = line.substr(kOpening.size(), line.find(" -->") - kOpening.size());
    } else if (line.starts_with("    ") && !name.empty()) {
      files[name] += line.substr(4) + '\n';
    } else if (line.empty() && files.contains(name)) {
      files[name] += '\n';
    } else if (!line.empty()) {
      name.clear();
    }
  }
  for (auto& [path, text] : files) {
    while (text.ends_with("\n\n")) text.pop_back();
  }
  return files;
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) text.replace(at, from.size(), to);
  return text;
}

// The vendor's lines, the server's address filled in, the rest of our script in the place of its "...".
std::string printed_script() {
  std::string printed = read_text(fs::path(BIRTHMARK_TEST_DATA) / "foundries/auto-register-detached-printed.txt");
  printed.erase(0, printed.find('\n') + 1);
  printed = replaced(printed, "<IP of reference server>", "10.20.0.2");
  const std::string ours = files_of_page().at(kDetached);
  return replaced(printed, "...\n", ours.substr(ours.find("if [ -f")));
}

class Lmp : public ::testing::Test {
 protected:
  Lmp() {
    fs::create_directory(programs());
    fs::create_symlink(program(), programs() / "birthmark");
    fs::create_symlink(fs::path(BIRTHMARK_SOURCE_DIR) / "tests/e2e/lmp_test_client.sh", programs() / "lmp-device-register");
    for (const char* name : {"systemctl", "fioconfig"}) {
      write_text(programs() / name, "#!/bin/sh\necho \"" + std::string(name) + " $*\" >> \"$LMP_TEST_CALLS\"\n");
      fs::permissions(programs() / name, fs::perms::owner_all);
    }
    write_text(calls_file(), "");
  }

  [[nodiscard]] fs::path programs() const { return factory_.scratch() / "programs"; }
  [[nodiscard]] fs::path calls_file() const { return factory_.scratch() / "calls"; }
  [[nodiscard]] std::string calls() const { return read_text(calls_file()); }

  // Starts the server at 10.20.0.2:80, then runs `script` under dash with -e, as its first line asks; its exit code, output and errors.
  // /var/sota is empty before.
  Outcome on_device(const std::string& script, const std::string& before = {}) {
    write_text(factory_.scratch() / "script", script);
    const std::string scene = "set -eu\ncd '" + factory_.scratch().string() +
                              "'\n"
                              "ip link set lo up\nip address add 10.20.0.2/16 dev lo\n"
                              "mount -t tmpfs none /var\nmkdir -p /var/sota /var/run\n" +
                              before +
                              "\nbirthmark serve --dir factory --listen registration=10.20.0.2:80 > serve.out 2> serve.err & server=$!\n"
                              "for _ in $(seq 1200); do grep -q '^ready' serve.out && break; kill -0 $server; sleep 0.05; done\n"
                              "code=0; dash -e script || code=$?\n"
                              "cp -r /var/sota device || true\n"
                              "kill $server; wait $server\nfor left in $(jobs -p); do kill $left || true; done\nexit $code\n";
    write_text(factory_.scratch() / "scene", scene);
    const char* path = std::getenv("PATH");
    return run({"unshare", "--map-root-user", "--net", "--mount", "bash", factory_.scratch() / "scene"},
               {"PATH=" + programs().string() + ":" + (path != nullptr ? path : "/usr/bin:/bin") + ":/usr/sbin:/sbin",
                "LMP_TEST_CALLS=" + calls_file().string(), "TOKEN_FILE=" + (factory_.scratch() / "token").string()});
  }
  static bool not_permitted(const Outcome& outcome) {
    return outcome.exit_code != 0 &&
           (outcome.errors.find("unshare:") != std::string::npos || outcome.errors.find("mount:") != std::string::npos);
  }
  [[nodiscard]] std::string inventory() const { return factory_.command({"device", "list", "--format", "json"}); }

  Factory factory_;
};

TEST_F(Lmp, ThePageHasTheFilesOfTheLayer) {
  const auto files = files_of_page();
  std::vector<std::string> names;
  for (const auto& [name, text] : files) names.push_back(name);
  EXPECT_EQ(names, (std::vector<std::string>{kDetached, kPartially, "recipes-sota/lmp-device-register/lmp-device-register_%.bbappend",
                                             "recipes-support/lmp-device-auto-register/lmp-device-auto-register.bbappend"}));
  EXPECT_EQ(files.at("recipes-sota/lmp-device-register/lmp-device-register_%.bbappend"), "PACKAGECONFIG += \"production\"\n");
  EXPECT_EQ(files.at("recipes-support/lmp-device-auto-register/lmp-device-auto-register.bbappend"),
            "FILESEXTRAPATHS:prepend := \"${THISDIR}/${PN}:\"\n");
  for (const char* script : {kDetached, kPartially}) {
    EXPECT_TRUE(files.at(script).starts_with("#!/bin/sh -e\n"));
    write_text(factory_.scratch() / "script", files.at(script));
    EXPECT_EQ(run({"dash", "-n", factory_.scratch() / "script"}).exit_code, 0);
  }
}

TEST_F(Lmp, FullyDetached) {
  const Outcome ran = on_device(files_of_page().at(kDetached), "mkdir -p /var/sota/compose-apps/shell /var/sota/compose-apps/web");
  if (not_permitted(ran)) GTEST_SKIP() << "no namespaces here: " << ran.errors;
  ASSERT_EQ(ran.exit_code, 0) << ran.output << ran.errors;
  EXPECT_EQ(calls(), "lmp-device-register DEVICE_API=http://10.20.0.2/sign PRODUCTION=1 -T na -a shell,web\n");
  EXPECT_NE(inventory().find("\"production\":true"), std::string::npos) << inventory();
  EXPECT_TRUE(read_text(factory_.scratch() / "device" / "client.pem").starts_with("-----BEGIN CERTIFICATE-----"));
}

TEST_F(Lmp, FullyDetachedWithATokenOfAStation) {
  factory_.configure("registration", "trust = \"token\"");
  write_text(factory_.scratch() / "token", factory_.command({"token", "create", "--scope", "devices:create", "--station", "line-1"}));
  const Outcome ran = on_device(files_of_page().at(kDetached));
  if (not_permitted(ran)) GTEST_SKIP() << "no namespaces here: " << ran.errors;
  ASSERT_EQ(ran.exit_code, 0) << ran.output << ran.errors;
  EXPECT_NE(inventory().find("\"station\":\"line-1\""), std::string::npos) << inventory();
}

TEST_F(Lmp, ADeviceThatIsRegisteredIsLeftAlone) {
  const Outcome ran = on_device(files_of_page().at(kDetached), "touch /var/sota/client.pem");
  if (not_permitted(ran)) GTEST_SKIP() << "no namespaces here: " << ran.errors;
  EXPECT_EQ(ran.exit_code, 0) << ran.errors;
  EXPECT_EQ(calls(), "");
}

TEST_F(Lmp, ThePrintedScriptWithExportAndNothingElse) {
  std::string script = replaced(printed_script(), "\nDEVICE_API=", "\nexport DEVICE_API=");
  script = replaced(script, "\nPRODUCTION=", "\nexport PRODUCTION=");
  const Outcome ran = on_device(script);
  if (not_permitted(ran)) GTEST_SKIP() << "no namespaces here: " << ran.errors;
  ASSERT_EQ(ran.exit_code, 0) << ran.output << ran.errors;
  EXPECT_NE(inventory().find("\"production\":true"), std::string::npos) << inventory();
}

// What it says of itself: the client saw neither setting, so it asked the vendor, whom this network does not have.
TEST_F(Lmp, ThePrintedScriptAsItIsAsksTheVendor) {
  const Outcome ran = on_device(printed_script());
  if (not_permitted(ran)) GTEST_SKIP() << "no namespaces here: " << ran.errors;
  EXPECT_EQ(ran.exit_code, 255) << ran.output << ran.errors;
  EXPECT_EQ(calls(), "lmp-device-register DEVICE_API= PRODUCTION=unset -T na\n");
  EXPECT_NE(ran.errors.find("api.foundries.io"), std::string::npos) << ran.errors;
  EXPECT_EQ(inventory(), "");
}

TEST_F(Lmp, PartiallyDetached) {
  factory_.configure("upstream", "url = \"http://127.0.0.1:9000/ota/devices/\"\ntoken_file = \"upstream.token\"\nmode = \"wait\"");
  write_text(factory_.directory() / "upstream.token", "a-token\n");
  fs::permissions(factory_.directory() / "upstream.token", fs::perms::owner_read | fs::perms::owner_write);
  const Outcome ran =
      on_device(files_of_page().at(kPartially), "birthmark upstream test-server --record upstream.jsonl > up.out 2> up.err & ");
  if (not_permitted(ran)) GTEST_SKIP() << "no namespaces here: " << ran.errors;
  ASSERT_EQ(ran.exit_code, 0) << ran.output << ran.errors;
  EXPECT_EQ(calls(),
            "systemctl stop fioconfig.path\n"
            "lmp-device-register DEVICE_API=http://10.20.0.2/sign PRODUCTION=1 --start-daemon=0 -T na\n"
            "fioconfig check-in\n"
            "systemctl start fioconfig.path aktualizr-lite\n");
  EXPECT_NE(inventory().find("\"production\":true"), std::string::npos);
  EXPECT_NE(read_text(factory_.scratch() / "upstream.jsonl").find("\"uuid\":"), std::string::npos)
      << "the upstream knew first" << read_text(factory_.scratch() / "up.err") << read_text(factory_.scratch() / "serve.err");
}

}  // namespace
}  // namespace birthmark::e2e
