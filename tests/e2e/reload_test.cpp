// SPDX-License-Identifier: Apache-2.0
// A running server and its files: what changes without a restart, what does not, and that nothing half written ever counts.
#include <gtest/gtest.h>

#include <csignal>

#include "curl.h"
#include "device.h"
#include "http_peer.h"
#include "server_process.h"
#include "test_upstream.h"

namespace birthmark::e2e {
namespace {

namespace fs = std::filesystem;

std::size_t count_of(const std::string& text, std::string_view phrase) {
  std::size_t count = 0;
  for (std::size_t at = text.find(phrase); at != std::string::npos; at = text.find(phrase, at + 1)) ++count;
  return count;
}

bool says(const ServerProcess& server, std::string_view phrase, std::size_t times = 1) {
  return wait_until([&] { return count_of(server.log_text(), phrase) >= times; });
}

int sign_status(const ServerProcess& server, const std::string& token = {}) {
  std::string text = request_text("POST", "/sign", Device::make().body());
  if (!token.empty()) text.insert(text.find("\r\n") + 2, "OSF-TOKEN: " + token + "\r\n");
  const auto answer = ask(server.port(), text);
  require(answer.has_value(), "no answer");
  return answer->status;
}

TEST(Reload, WhoMayRegisterChangesWhenTheFileDoes) {
  const Factory factory;
  const auto server = factory.serve();
  EXPECT_EQ(sign_status(*server), 201);
  factory.configure("registration", "trust = \"token\"");
  EXPECT_TRUE(wait_until([&] { return sign_status(*server) == 401; })) << server->log_text();
  const std::string token = factory.command({"token", "create", "--scope", "devices:create"});
  EXPECT_EQ(sign_status(*server, token.substr(0, token.find('\n'))), 201);
  EXPECT_NE(factory.command({"events", "--all"}).find(R"("event":"settings_changed")"), std::string::npos);
  factory.command({"audit", "verify"});
  EXPECT_EQ(server->stop(), 0);
}

TEST(Reload, ABadFileChangesNothingAndIsMendedWithoutARestart) {
  const Factory factory;
  const auto server = factory.serve();
  const std::string good = read_text(factory.directory() / "birthmark.toml");
  factory.configure("registration", "trust = \"token\"\nnetworks = [\"10.0.0.1/8\"]");
  EXPECT_TRUE(says(*server, "nothing reloaded, the earlier state stays")) << server->log_text();
  EXPECT_NE(server->log_text().find("registration.networks"), std::string::npos);
  EXPECT_EQ(sign_status(*server), 201) << "the good half of a bad file counts";
  write_text(factory.directory() / "birthmark.toml", good);
  factory.configure("registration", "trust = \"token\"");
  EXPECT_TRUE(wait_until([&] { return sign_status(*server) == 401; }));
  EXPECT_EQ(server->stop(), 0);
}

TEST(Reload, WhatNeedsARestartIsNamedAndStays) {
  const Factory factory;
  const auto server = factory.serve();
  factory.configure("registration", "allow_rsa = true\nproduction = \"always\"");
  factory.configure("limits", "body_bytes = 8192");
  server->send_signal(SIGHUP);
  EXPECT_TRUE(says(*server, "count after a restart only")) << server->log_text();
  EXPECT_NE(server->log_text().find("limits.body_bytes registration.allow_rsa"), std::string::npos) << server->log_text();
  EXPECT_EQ(server->log_text().find("registration.production"), std::string::npos) << "that counts at once";
  const Device device = Device::make();
  ASSERT_EQ(post_sign(server->port(), device.body())->status, 201);
  EXPECT_NE(factory.command({"device", "show", device.uuid}).find("production   true"), std::string::npos);
  EXPECT_EQ(server->stop(), 0);
}

// The certificate's file and the key's are two: between them they do not fit, and then the pair before them goes on.
TEST(Reload, AHalfWrittenPairNeverCounts) {
  const Factory factory, donor;
  for (const Factory* one : {&factory, &donor}) one->configure("registration", "tls = \"own\"");
  {
    const auto makes_the_pair = donor.serve();
    EXPECT_EQ(makes_the_pair->stop(), 0);
  }
  const auto server = factory.serve();
  const fs::path ours = factory.directory() / "site-ca.pem", theirs = donor.directory() / "site-ca.pem";
  const auto believes = [&](const fs::path& ca) {
    return curl({"--cacert", ca, "https://localhost:" + std::to_string(server->port()) + "/sign"}).status == 405;
  };
  ASSERT_TRUE(believes(ours));
  fs::copy_file(donor.directory() / "registration.pem", factory.directory() / "registration.pem", fs::copy_options::overwrite_existing);
  EXPECT_TRUE(says(*server, "nothing reloaded")) << server->log_text();
  EXPECT_NE(server->log_text().find("does not belong to the certificate"), std::string::npos) << server->log_text();
  EXPECT_TRUE(believes(ours));
  EXPECT_FALSE(believes(theirs));
  fs::copy_file(donor.directory() / "keys" / "registration.key", factory.directory() / "keys" / "registration.key",
                fs::copy_options::overwrite_existing);
  EXPECT_TRUE(wait_until([&] { return believes(theirs); })) << server->log_text();
  EXPECT_FALSE(believes(ours));
  EXPECT_EQ(server->stop(), 0);
}

TEST(Reload, ALostCaKeyHealsWhenItComesBack) {
  const Factory factory;
  const auto server = factory.serve();
  const fs::path key = factory.directory() / "keys" / "local-ca.key", online = factory.directory() / "keys" / "online-ca.key";
  ASSERT_EQ(sign_status(*server), 201);
  fs::rename(key, factory.scratch() / "away.key");
  fs::rename(online, factory.scratch() / "online.key");
  EXPECT_TRUE(wait_until([&] { return sign_status(*server) == 503; })) << server->log_text();
  fs::rename(factory.scratch() / "away.key", key);
  EXPECT_TRUE(wait_until([&] { return sign_status(*server) == 201; })) << server->log_text();
  EXPECT_EQ(server->stop(), 0);
}

TEST(Reload, AnUpstreamComesAndGoesWithItsSection) {
  const Factory factory;
  TestUpstream upstream(factory.scratch());
  upstream.start();
  const auto server = factory.serve();
  const std::string without = read_text(factory.directory() / "birthmark.toml");
  ASSERT_EQ(sign_status(*server), 201);
  upstream.configure(factory);
  require(says(*server, "reloaded configuration"), "no reload: " + server->log_text());
  const Device told = Device::make();
  ASSERT_EQ(post_sign(server->port(), told.body())->status, 201);
  EXPECT_TRUE(wait_until([&] { return upstream.devices().contains(told.uuid); }));
  EXPECT_EQ(upstream.devices().size(), 1U) << "one from before the section was there was told";
  const std::size_t reloads = count_of(server->log_text(), "reloaded configuration");
  write_text(factory.directory() / "birthmark.toml", without);
  require(says(*server, "reloaded configuration", reloads + 1), "no reload: " + server->log_text());
  ASSERT_EQ(sign_status(*server), 201);
  EXPECT_NE(factory.command({"upstream", "status"}).find("none is configured"), std::string::npos);
  EXPECT_EQ(upstream.devices().size(), 1U);
  EXPECT_EQ(server->stop(), 0);
}

// A name that nobody resolves any more, in a /etc/hosts of this server's own.
TEST(Loss, OfTheUpstreamsNameHealsWhenItIsKnownAgain) {
  const Factory factory;
  const fs::path hosts = factory.scratch() / "hosts", out = factory.scratch() / "server.out";
  const fs::path certificate = factory.scratch() / "upstream.pem", key = factory.scratch() / "upstream.key";
  ASSERT_EQ(run({"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out",
                 certificate, "-subj", "/CN=upstream", "-addext", "subjectAltName=DNS:cloud.test", "-days", "2"})
                .exit_code,
            0);
  TestUpstream upstream(factory.scratch());
  upstream.configure(factory, "ca_file = \"../upstream.pem\"\n", "https://cloud.test");
  upstream.start(0, {"--certificate", certificate, "--key", key});
  write_text(hosts, "127.0.0.1 localhost\n");
  const std::string command = "mount --bind '" + hosts.string() + "' /etc/hosts && exec '" + program() + "' serve --dir '" +
                              factory.directory().string() + "' --listen registration=127.0.0.1:0";
  ChildProcess server({"unshare", "--map-root-user", "--mount", "bash", "-c", command}, {{}, out, factory.scratch() / "server.log"});
  const auto output = [&] { return fs::exists(out) ? read_text(out) : std::string(); };
  const bool ready = wait_until([&] { return output().find("\nready\n") != std::string::npos || server.wait(milliseconds(0)); });
  if (output().find("ready") == std::string::npos)
    GTEST_SKIP() << "no mount namespaces here: " << read_text(factory.scratch() / "server.log");
  ASSERT_TRUE(ready);
  const std::string line = output().substr(output().find("127.0.0.1:") + 10);
  const Device device = Device::make();
  ASSERT_EQ(post_sign(static_cast<std::uint16_t>(std::stoi(line)), device.body())->status, 201);
  const auto state = [&] { return factory.command({"upstream", "status"}); };
  EXPECT_TRUE(wait_until([&] { return state().find("unreachable") != std::string::npos; })) << state();
  write_text(hosts, "127.0.0.1 localhost cloud.test\n");
  EXPECT_TRUE(wait_until([&] { return upstream.devices().contains(device.uuid); })) << state();
  server.send_signal(SIGTERM);
  EXPECT_TRUE(server.wait().has_value());
}

// Whoever writes a configuration piece by piece, and whoever reads it meanwhile.
TEST(Reload, RegistrationsGoOnThroughManyChanges) {
  const Factory factory;
  const auto server = factory.serve();
  const std::string text = read_text(factory.directory() / "birthmark.toml");
  for (int round = 0; round < 20; ++round) {
    write_text(factory.directory() / "birthmark.toml", round % 2 == 0 ? text + "# changed\n" : text.substr(0, text.size() / 2));
    server->send_signal(SIGHUP);
    EXPECT_EQ(sign_status(*server), 201) << round;
  }
  write_text(factory.directory() / "birthmark.toml", text);
  EXPECT_EQ(sign_status(*server), 201);
  EXPECT_EQ(server->stop(), 0);
}

}  // namespace
}  // namespace birthmark::e2e
