// SPDX-License-Identifier: Apache-2.0
// Leaving factory-registration-ref: what it left is taken over as it is, or refused with the reason.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <sstream>

#include "http_peer.h"
#include "reference_data.h"
#include "server_process.h"

namespace birthmark::e2e {
namespace {

class Import : public ::testing::Test {
 protected:
  [[nodiscard]] std::filesystem::path directory() const { return scratch_.path() / "server"; }
  [[nodiscard]] Outcome import(const Arguments& more = {}) const {
    Arguments arguments{program(), "import", "registration-ref", data_.path(), "--dir", directory()};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run(arguments);
  }
  [[nodiscard]] std::unique_ptr<ServerProcess> serve() const {
    auto server = std::make_unique<ServerProcess>(directory(), scratch_.path() / "server.log", ServerProcess::Options{});
    require(server->wait_until_ready(), "not ready: " + server->log_text());
    return server;
  }
  [[nodiscard]] bool made_nothing() const { return !std::filesystem::exists(directory()); }

  ScratchDirectory scratch_;
  ReferenceData data_{scratch_.path() / "data", "acme"};
};

TEST_F(Import, FiveThousandDevicesKeepTheirIdsAndKeys) {
  constexpr std::size_t kDevices = 5'000;
  std::vector<Device> some;
  for (std::size_t i = 0; i < kDevices; ++i) {
    Device device = Device::make();
    data_.log(device);
    if (i % 100 == 0) some.push_back(std::move(device));
  }
  const Outcome dry = import({"--dry-run"});
  EXPECT_EQ(dry.exit_code, 0) << dry.errors;
  EXPECT_NE(dry.output.find("would import 5000 devices"), std::string::npos) << dry.output;
  EXPECT_TRUE(made_nothing());
  const Outcome done = import();
  ASSERT_EQ(done.exit_code, 0) << done.errors;
  EXPECT_EQ(done.output, "5000 devices imported, 0 known already, 0 refused\n");
  EXPECT_EQ(import().output, "0 devices imported, 5000 known already, 0 refused\n");

  const auto server = serve();
  for (const Device& device : some) {
    const auto other = post_sign(server->port(), Device::make(device.uuid).body());
    ASSERT_TRUE(other);
    EXPECT_EQ(other->status, 409) << other->body;
    const auto same = post_sign(server->port(), device.body());
    ASSERT_TRUE(same);
    EXPECT_EQ(same->status, 201) << same->body;
    EXPECT_EQ(post_sign(server->port(), device.body())->body, same->body);
    EXPECT_EQ(post_sign(server->port(), Device::make(device.uuid).body())->status, 409) << "also after its first certificate here";
  }
  EXPECT_EQ(run({program(), "audit", "verify", "--dir", directory()}).exit_code, 0);
  EXPECT_EQ(server->stop(), 0);
  EXPECT_EQ(run({program(), "audit", "verify", "--dir", directory()}).exit_code, 0);
}

TEST_F(Import, WhatIsNoDeviceIsNamedAndStopsEverything) {
  const Device good = Device::make();
  data_.log(good);
  const Device twin = Device::make();
  data_.log("AAAAAAAA-0000-4000-8000-000000000001", public_key_pem(twin.key));
  data_.log("aaaaaaaa-0000-4000-8000-000000000001", public_key_pem(twin.key));
  data_.log("aaaaaaaa-0000-4000-8000-000000000002", "no key");
  data_.log("aaaaaaaa-0000-4000-8000-000000000003", "");
  const Outcome refused = import();
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_NE(refused.errors.find("the same device as AAAAAAAA-"), std::string::npos) << refused.errors;
  EXPECT_NE(refused.errors.find("000000000002: "), std::string::npos);
  EXPECT_NE(refused.errors.find("3 files are no device"), std::string::npos) << refused.errors;
  EXPECT_TRUE(made_nothing());
  const Outcome rest = import({"--skip-refused"});
  EXPECT_EQ(rest.exit_code, 0) << rest.errors;
  EXPECT_EQ(rest.output, "2 devices imported, 0 known already, 3 refused\n");
}

TEST_F(Import, HexadecimalIdsAreIdsWhereThatIsWhatThereIs) {
  const Device device = Device::make("12-34-56");
  data_.log(device);
  data_.log("not hexadecimal", public_key_pem(device.key));
  EXPECT_EQ(import().exit_code, 1);
  std::filesystem::remove(data_.devices() / "not hexadecimal");
  ASSERT_EQ(import().exit_code, 0);
  const auto server = serve();
  EXPECT_EQ(post_sign(server->port(), device.body())->status, 201);
  EXPECT_EQ(post_sign(server->port(), Device::make("12-34-56").body())->status, 409);
}

TEST_F(Import, CertificatesThatDoNotFitAreRefused) {
  const ReferenceData other(scratch_.path() / "other", "acme");
  const auto expect_refused = [&](const char* file, const char* reason) {
    const std::string before = read_text(data_.certificates() / file);
    write_text(data_.certificates() / file, read_text(other.certificates() / file));
    const Outcome refused = import();
    EXPECT_EQ(refused.exit_code, 1);
    EXPECT_NE(refused.errors.find(reason), std::string::npos) << refused.errors;
    EXPECT_TRUE(made_nothing());
    write_text(data_.certificates() / file, before);
  };
  expect_refused("local-ca.key", "is not the key of local-ca.pem");
  expect_refused("tls-crt", "tls-crt is not signed by factory_ca.pem");
  std::filesystem::remove(data_.certificates() / "tls-crt");
  EXPECT_NE(import().errors.find("Missing file: "), std::string::npos);
  EXPECT_TRUE(made_nothing());
}

TEST_F(Import, AnotherFactorysDirectoryIsNotTouched) {
  ASSERT_EQ(import().exit_code, 0);
  const ReferenceData other(scratch_.path() / "other", "acme");
  other.log(Device::make());
  const Outcome refused = run({program(), "import", "registration-ref", other.path(), "--dir", directory()});
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_NE(refused.errors.find("trusts another PKI"), std::string::npos) << refused.errors;
  EXPECT_EQ(run({program(), "device", "list", "--dir", directory(), "--format", "json"}).output, "");
}

TEST_F(Import, ItsTokenAndItsUpstreamComeAlong) {
  write_text(data_.path() / "fio-api-token", "\n  the-token \n");
  ASSERT_EQ(import({"--group", "line-1", "--upstream-url", "https://api.example.com/ota/devices/"}).exit_code, 0);
  EXPECT_EQ(read_text(directory() / "upstream.token"), "the-token\n");
  struct stat status{};
  ASSERT_EQ(::stat((directory() / "upstream.token").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
  const std::string config = read_text(directory() / "birthmark.toml");
  EXPECT_NE(config.find("\nurl = \"https://api.example.com/ota/devices/\"\ntoken_file = \"upstream.token\"\ngroup = \"line-1\"\n"),
            std::string::npos)
      << config;
  EXPECT_EQ(run({program(), "status", "--dir", directory()}).exit_code, 0);
}

}  // namespace
}  // namespace birthmark::e2e
