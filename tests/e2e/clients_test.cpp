// SPDX-License-Identifier: Apache-2.0
// A day of a factory as its people live it: curl and openssl on the line, the PKI owner elsewhere, the operator's commands beside a running
// server and without one.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <map>
#include <sstream>

#include "base/text.h"
#include "device.h"
#include "http_peer.h"
#include "server_process.h"

namespace birthmark::e2e {
namespace {

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

mode_t mode_of(const std::filesystem::path& path) {
  struct stat found{};
  require(::stat(path.c_str(), &found) == 0, "there is no " + path.string());
  return found.st_mode & 07777U;
}

// What `ca create` and `ca ...-device-ca` hand to the server: they name it on stdout.
std::vector<std::string> artefacts_of(const Factory& factory, Arguments arguments) {
  arguments.emplace_back("--quiet");
  const Outcome made = factory.birthmark(arguments);
  require(made.exit_code == 0, arguments[1] + " failed: " + made.errors);
  return lines_of(made.output);
}

void install(const Factory& factory, const std::vector<std::string>& files) {
  Arguments arguments{"ca", "install"};
  arguments.insert(arguments.end(), files.begin(), files.end());
  factory.command(arguments);
}

int status_of(const std::optional<Answer>& answer) {
  return answer ? answer->status : 0;
}

// curl and openssl only, as docs/start tells a newcomer.
class CommandLineDevice {
 public:
  CommandLineDevice(std::filesystem::path directory, std::string uuid) : directory_(std::move(directory)), uuid_(std::move(uuid)) {
    std::filesystem::create_directories(directory_);
    succeed({"openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", file("pkey.pem")});
    succeed({"openssl", "req", "-new", "-key", file("pkey.pem"), "-subj", "/CN=" + uuid_ + "/OU=acme", "-out", file("device.csr")});
    write_text(file("request.json"), "{\"uuid\": " + json_string(uuid_) +
                                         ", \"hardware-id\": \"board\", \"csr\": " + json_string(read_text(file("device.csr"))) + "}");
  }

  // The HTTP status; the members of a 201 become files.
  [[nodiscard]] std::string post(std::uint16_t port) const {
    const std::string url = "http://127.0.0.1:" + std::to_string(port) + "/sign";
    const std::string status = succeed({"curl", "-sS", "-X", "POST", "-H", "Content-Type: application/json", "--data-binary",
                                        "@" + file("request.json"), "-o", file("answer.json"), "-w", "%{http_code}", url});
    if (status != "201") return status;
    const Answer answer{201, {}, read_text(file("answer.json"))};
    for (const char* name : {"root.crt", "client.pem", "client.chained", "sota.toml"}) write_text(file(name), answer.member(name));
    return status;
  }

  [[nodiscard]] std::string file(const std::string& name) const { return directory_ / name; }

  static std::string succeed(const Arguments& arguments) {
    const Outcome done = run(arguments);
    require(done.exit_code == 0, arguments[0] + " " + arguments[1] + " failed: " + done.output + done.errors);
    return done.output;
  }

 private:
  std::filesystem::path directory_;
  std::string uuid_;
};

TEST(Clients, CurlRegistersAndOpensslAcceptsTheChain) {
  const Factory factory;
  const auto server = factory.serve();
  const CommandLineDevice device(factory.scratch() / "device", random_uuid());
  ASSERT_EQ(device.post(server->port()), "201");
  const std::string verified =
      CommandLineDevice::succeed({"openssl", "verify", "-CAfile", device.file("root.crt"), "-untrusted", factory.pki() / "local-ca.pem",
                                  "-purpose", "sslclient", device.file("client.pem")});
  EXPECT_EQ(verified, device.file("client.pem") + ": OK\n");
  const std::string certified = CommandLineDevice::succeed({"openssl", "x509", "-in", device.file("client.pem"), "-noout", "-pubkey"});
  const std::string own = CommandLineDevice::succeed({"openssl", "pkey", "-in", device.file("pkey.pem"), "-pubout"});
  EXPECT_EQ(certified, own);
  EXPECT_NE(run({"openssl", "verify", "-CAfile", device.file("root.crt"), "-untrusted", factory.pki() / "local-ca.pem", "-purpose",
                 "sslserver", device.file("client.pem")})
                .exit_code,
            0)
      << "a device is no server";
}

TEST(Clients, DemoRegistersAndWritesFiles) {
  const Factory factory;
  const auto server = factory.serve();
  const auto out = factory.scratch() / "devices";
  const std::string url = "http://127.0.0.1:" + std::to_string(server->port()) + "/sign";
  factory.command({"demo", "--count", "3", "--url", url, "--out", out});
  std::size_t devices = 0;
  for (const auto& device : std::filesystem::directory_iterator(out)) {
    ++devices;
    EXPECT_EQ(mode_of(device.path() / "pkey.pem"), 0600U);
    for (const char* name : {"root.crt", "client.pem", "client.chained", "sota.toml", "local-ca.pem"})
      EXPECT_TRUE(std::filesystem::exists(device.path() / name)) << name;
  }
  EXPECT_EQ(devices, 3U);
  EXPECT_EQ(lines_of(factory.command({"device", "list", "--format", "json"})).size(), 3U);
}

// The root never comes near the server; everything else arrives while it runs.
TEST(Clients, APkiMadeElsewhereIsInstalledLive) {
  const Factory factory(Factory::Pki::no);
  const auto server = factory.serve();
  const Device device = Device::make();
  auto answer = post_sign(server->port(), device.body());
  ASSERT_EQ(status_of(answer), 503);
  EXPECT_NE(answer->message().find("no root certificate is installed"), std::string::npos) << answer->body;
  EXPECT_NE(answer->header("retry-after"), "");

  const auto elsewhere = factory.scratch() / "owner";
  const auto artefacts = artefacts_of(factory, {"ca", "create", elsewhere, "--csr-dir", factory.directory() / "csr"});
  EXPECT_EQ(std::count_if(artefacts.begin(), artefacts.end(), [](const std::string& f) { return f.ends_with("factory_ca.key"); }), 0);
  install(factory, artefacts);
  answer = post_sign(server->port(), device.body());
  ASSERT_EQ(status_of(answer), 201) << answer->body;
  EXPECT_EQ(answer->member("root.crt"), read_text(elsewhere / "factory_ca.pem"));
}

TEST(Clients, ADisabledCaIsFollowedByItsSuccessorAndCanComeBack) {
  const Factory factory;
  const auto server = factory.serve();
  const auto issuer_of = [&](const Device& device) {
    const auto answer = post_sign(server->port(), device.body());
    return answer && answer->status == 201 ? answer->member("client.chained").substr(answer->member("client.pem").size() + 1)
                                           : std::string();
  };
  const Device early = Device::make();
  EXPECT_EQ(issuer_of(early), read_text(factory.pki() / "local-ca.pem"));

  install(factory, artefacts_of(factory, {"ca", "disable-device-ca", factory.pki(), "--ca-file", "local-ca.pem"}));
  EXPECT_EQ(issuer_of(Device::make()), read_text(factory.pki() / "online-crt")) << "the successor issues";
  install(factory, artefacts_of(factory, {"ca", "disable-device-ca", factory.pki(), "--ca-file", "online-crt"}));
  const auto refused = post_sign(server->port(), Device::make().body());
  ASSERT_EQ(status_of(refused), 503);
  EXPECT_NE(refused->message().find("disabled"), std::string::npos) << refused->body;
  EXPECT_NE(factory.command({"status"}).find("disabled"), std::string::npos);

  install(factory, artefacts_of(factory, {"ca", "enable-device-ca", factory.pki(), "--ca-file", "local-ca.pem"}));
  EXPECT_EQ(issuer_of(Device::make()), read_text(factory.pki() / "local-ca.pem"));
  EXPECT_EQ(factory.birthmark({"audit", "verify", "--dir", factory.directory()}).exit_code, 0);
}

TEST(Clients, WhatCannotBeInstalledChangesNothing) {
  const Factory factory;
  const Factory stranger;
  const auto server = factory.serve();
  const std::string before = factory.command({"audit", "head"});
  write_text(factory.scratch() / "junk", "no certificate\n");
  for (const std::filesystem::path& file :
       {factory.scratch() / "junk", stranger.pki() / "local-ca.pem", stranger.pki() / "factory_ca.pem", factory.pki() / "factory_ca.key"}) {
    const Outcome refused = factory.birthmark({"ca", "install", file, "--dir", factory.directory()});
    EXPECT_EQ(refused.exit_code, 1) << file;
    EXPECT_NE(refused.errors, "") << file;
  }
  EXPECT_EQ(factory.command({"audit", "head"}), before);
  EXPECT_FALSE(std::filesystem::exists(factory.directory() / "keys" / "factory_ca.key"));
  EXPECT_EQ(status_of(post_sign(server->port(), Device::make().body())), 201);
}

TEST(Clients, ASecondServerOnTheSameDirectoryIsRefused) {
  const Factory factory;
  const auto first = factory.serve();
  const auto second = factory.try_to_serve();
  EXPECT_FALSE(second->wait_until_ready());
  const auto end = second->wait();
  ASSERT_TRUE(end);
  EXPECT_EQ(end->code, 1);
  EXPECT_NE(second->log_text().find("locked by another process"), std::string::npos) << second->log_text();
  EXPECT_EQ(status_of(post_sign(first->port(), Device::make().body())), 201) << "and the first goes on";
}

TEST(Clients, AListenerThatCannotStartStopsTheServer) {
  const Factory factory;
  const Factory other;
  const auto running = other.serve();
  const std::string taken = "registration=127.0.0.1:" + std::to_string(running->port());
  const Outcome refused = factory.birthmark({"serve", "--dir", factory.directory(), "--listen", taken});
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_NE(refused.errors, "");
  EXPECT_EQ(refused.output.find("ready"), std::string::npos);
}

TEST(Clients, CommandsSayTheSameBesideARunningServerAndAlone) {
  const Factory factory;
  const Device device = Device::make();
  const std::vector<Arguments> commands{{"device", "list", "--format", "json"}, {"device", "export"},
                                        {"device", "show", device.uuid},        {"audit", "head"},
                                        {"audit", "tail", "-n", "3"},           {"audit", "verify"}};
  std::vector<std::string> beside;
  {
    const auto server = factory.serve();
    ASSERT_EQ(status_of(post_sign(server->port(), device.body())), 201);
    for (const Arguments& command : commands) beside.push_back(factory.command(command));
    EXPECT_EQ(server->stop(), 0);
  }
  for (std::size_t i = 0; i < commands.size(); ++i) EXPECT_EQ(factory.command(commands[i]), beside[i]) << commands[i][1];
  EXPECT_NE(beside[2].find(device.uuid), std::string::npos);
}

TEST(Clients, ExitCodesAreThoseOfTheContract) {
  const Factory factory;
  const std::vector<std::pair<Arguments, int>> cases{{{"device", "list"}, 0},
                                                     {{"audit", "verify"}, 0},
                                                     {{"device", "show", random_uuid()}, 1},
                                                     {{"device", "deny", "..", "--reason", "x"}, 1},
                                                     {{"ca", "install", "/nonexistent"}, 1},
                                                     {{"audit", "verify", "--expect", "junk"}, 1},
                                                     {{"device", "show"}, 2},
                                                     {{"device", "deny", random_uuid()}, 2},
                                                     {{"device", "list", "--format", "xml"}, 2},
                                                     {{"device", "list", "--nonsense"}, 2},
                                                     {{"device"}, 2}};
  const auto expect_codes = [&] {
    for (const auto& [arguments, code] : cases) {
      Arguments all = arguments;
      all.insert(all.end(), {"--dir", factory.directory()});
      const Outcome outcome = factory.birthmark(all);
      EXPECT_EQ(outcome.exit_code, code) << arguments[0] << " " << arguments.back() << "\n" << outcome.errors;
      EXPECT_EQ(outcome.errors.empty(), code == 0) << outcome.errors;
    }
  };
  expect_codes();
  const auto server = factory.serve();
  expect_codes();
  EXPECT_EQ(factory.birthmark({}).exit_code, 2);
  EXPECT_EQ(factory.birthmark({"nonsense"}).exit_code, 2);
  EXPECT_EQ(factory.birthmark({"--help"}).exit_code, 0);
  EXPECT_EQ(factory.birthmark({"--version"}).exit_code, 0);
  EXPECT_EQ(factory.birthmark({"device", "list", "--dir", factory.scratch() / "nowhere"}).exit_code, 1);
}

TEST(Clients, WhatIsSecretIsReadableByItsOwnerOnly) {
  const Factory factory;
  const auto server = factory.serve();
  ASSERT_EQ(status_of(post_sign(server->port(), Device::make().body())), 201);
  EXPECT_EQ(mode_of(factory.directory()), 0700U);
  EXPECT_EQ(mode_of(factory.directory() / "keys"), 0700U);
  EXPECT_EQ(mode_of(factory.pki()), 0700U);
  for (const auto& key : std::filesystem::directory_iterator(factory.directory() / "keys"))
    EXPECT_EQ(mode_of(key.path()) & ~0600U, 0U) << key.path();
  for (const auto& file : std::filesystem::directory_iterator(factory.pki())) EXPECT_EQ(mode_of(file.path()), 0400U) << file.path();
  for (const char* name : {"birthmark.db", "birthmark.db-wal", "birthmark.db-shm", "control.sock", "lock"})
    EXPECT_EQ(mode_of(factory.directory() / name), 0600U) << name;
}

TEST(Clients, NoSecretIsOnAnyCommandLineNorInLogOrAudit) {
  const Factory factory;
  const auto server = factory.serve();
  ASSERT_EQ(status_of(post_sign(server->port(), Device::make().body())), 201);
  install(factory, {factory.pki() / "local-ca.pem", factory.pki() / "local-ca.key"});
  std::vector<std::string> secrets;
  for (const auto& folder : {factory.directory() / "keys", factory.pki()}) {
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
      if (entry.path().extension() == ".key") secrets.push_back(lines_of(read_text(entry.path()))[1]);
    }
  }
  ASSERT_GE(secrets.size(), 5U);
  const std::string said = read_text("/proc/" + std::to_string(server->pid()) + "/cmdline") + server->log_text() +
                           factory.command({"audit", "tail", "-n", "1000"}) + read_text(factory.database());
  for (const std::string& secret : secrets) EXPECT_EQ(said.find(secret), std::string::npos);
}

TEST(Clients, InitAgainChangesNothing) {
  const Factory factory;
  const auto contents = [&] {
    std::map<std::string, std::string> files;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(factory.directory())) {
      // The database notes when it was last opened, the signed head when it was signed: what they say is compared below.
      const std::string name = entry.path().filename();
      if (entry.is_regular_file() && name != "audit.head" && !name.starts_with("birthmark.db"))
        files[entry.path()] = read_text(entry.path());
    }
    files["audit"] = factory.command({"audit", "head"});
    return files;
  };
  const auto before = contents();
  const Arguments same{"init",          factory.directory(),  "--factory",    "acme",
                       "--gateway-dns", "x.ota-lite.example", "--ostree-dns", "x.ostree.example"};
  const Arguments other{"init", factory.directory(), "--factory", "other", "--gateway-dns", "a.example", "--ostree-dns", "b.example"};
  EXPECT_EQ(factory.birthmark(same).exit_code, 0);
  EXPECT_EQ(contents(), before);
  EXPECT_EQ(factory.birthmark(other).exit_code, 1);
  EXPECT_EQ(contents(), before);
}

}  // namespace
}  // namespace birthmark::e2e
