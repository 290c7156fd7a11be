// SPDX-License-Identifier: Apache-2.0
// A backup taken under load is a whole server: the original is destroyed and the copy goes on in its place.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <set>
#include <sstream>

#include "load.h"
#include "server_process.h"

namespace birthmark::e2e {
namespace {

std::set<std::string> ids_in(const std::filesystem::path& directory) {
  std::set<std::string> ids;
  const Outcome exported = run({program(), "device", "export", "--format", "json", "--dir", directory});
  require(exported.exit_code == 0, exported.errors);
  std::istringstream lines(exported.output);
  for (std::string line; std::getline(lines, line);) ids.emplace(boost::json::parse(line).as_object().at("id").as_string());
  return ids;
}

std::unique_ptr<ServerProcess> serve(const std::filesystem::path& directory, const std::filesystem::path& log) {
  auto server = std::make_unique<ServerProcess>(directory, log, ServerProcess::Options{});
  require(server->wait_until_ready(), "not ready: " + server->log_text());
  return server;
}

mode_t mode_of(const std::filesystem::path& path) {
  struct stat status{};
  require(::stat(path.c_str(), &status) == 0, "no " + path.string());
  return status.st_mode & 0777U;
}

TEST(Backup, TakenUnderLoadItGoesOnWhereTheOriginalWas) {
  const Factory factory;
  const auto file = factory.scratch() / "copy";
  auto server = factory.serve();
  Load load(server->port(), 4);
  ASSERT_TRUE(wait_until([&] { return load.acknowledged() >= 60; }));
  const Outcome taken = run({program(), "backup", file, "--with-keys", "--dir", factory.directory()});
  ASSERT_EQ(taken.exit_code, 0) << taken.errors;
  const std::size_t after = load.acknowledged();
  ASSERT_TRUE(wait_until([&] { return load.acknowledged() >= after + 20; })) << "registration stopped";
  server->kill();
  const auto registrations = load.finish();
  EXPECT_EQ(mode_of(file), 0600U);
  EXPECT_FALSE(std::filesystem::exists(file.string() + "-wal"));
  const auto original = ids_in(factory.directory());
  std::filesystem::remove_all(factory.directory());

  const auto directory = factory.scratch() / "restored";
  const Outcome restored = run({program(), "restore", file, directory});
  ASSERT_EQ(restored.exit_code, 0) << restored.errors;
  EXPECT_EQ(restored.output, taken.output) << "the audit head";
  const Outcome verified =
      run({program(), "audit", "verify", "--expect", taken.output.substr(0, taken.output.find('\n')), "--dir", directory});
  EXPECT_EQ(verified.exit_code, 0) << verified.output << verified.errors;
  EXPECT_EQ(mode_of(directory), 0700U);
  EXPECT_EQ(mode_of(directory / "birthmark.db"), 0600U);
  EXPECT_EQ(mode_of(directory / "keys" / "audit.key"), 0600U);
  const auto copy = ids_in(directory);
  EXPECT_GE(copy.size(), 60U);
  EXPECT_LT(copy.size(), original.size());
  EXPECT_TRUE(std::includes(original.begin(), original.end(), copy.begin(), copy.end()));

  server = serve(directory, factory.scratch() / "restored.log");
  for (const Registration& registration : registrations) {
    const auto again = post_sign(server->port(), registration.device.body());
    ASSERT_TRUE(again);
    EXPECT_EQ(again->status, 201) << again->body;
    if (copy.contains(registration.device.uuid) && !registration.certificate.empty())
      EXPECT_EQ(again->member("client.pem"), registration.certificate);
  }
  EXPECT_EQ(server->stop(), 0);
  EXPECT_EQ(run({program(), "audit", "verify", "--dir", directory}).exit_code, 0);
}

TEST(Backup, WithoutKeysItHoldsNoSecretAndNeedsThemBack) {
  const Factory factory;
  const auto file = factory.scratch() / "copy";
  ASSERT_EQ(factory.birthmark({"backup", file, "--dir", factory.directory()}).exit_code, 0);
  EXPECT_EQ(read_text(file).find("PRIVATE KEY"), std::string::npos);
  EXPECT_EQ(factory.birthmark({"backup", file, "--dir", factory.directory()}).exit_code, 1) << "over a file that is there";
  const auto directory = factory.scratch() / "restored";
  const Outcome restored = run({program(), "restore", file, directory});
  ASSERT_EQ(restored.exit_code, 0) << restored.errors;
  EXPECT_NE(restored.errors.find("put keys/ back"), std::string::npos) << restored.errors;
  EXPECT_EQ(run({program(), "restore", file, directory}).exit_code, 1) << "over a server";
  EXPECT_NE(run({program(), "status", "--dir", directory}).exit_code, 0);
  std::filesystem::copy(factory.directory() / "keys", directory / "keys", std::filesystem::copy_options::recursive);
  EXPECT_EQ(run({program(), "audit", "verify", "--dir", directory}).exit_code, 0);
}

TEST(Backup, ADamagedFileIsRefusedAndMakesNothing) {
  const Factory factory;
  const auto file = factory.scratch() / "copy";
  ASSERT_EQ(factory.birthmark({"backup", file, "--with-keys", "--dir", factory.directory()}).exit_code, 0);
  const std::string whole = read_text(file);
  const auto directory = factory.scratch() / "restored";
  const auto expect_refused = [&](const std::string& contents, const char* what) {
    write_text(file, contents);
    const Outcome refused = run({program(), "restore", file, directory});
    EXPECT_EQ(refused.exit_code, 1) << what;
    EXPECT_FALSE(std::filesystem::exists(directory)) << what << refused.errors;
  };
  expect_refused("", "nothing");
  expect_refused("no database at all", "text");
  expect_refused(whole.substr(0, whole.size() / 2), "half of it");
  for (std::size_t page = 1; page < whole.size() / 4096; page += 5) {
    std::string damaged = whole;
    std::fill_n(damaged.begin() + static_cast<std::ptrdiff_t>(page * 4096), 512, '\xa5');
    write_text(file, damaged);
    const Outcome answered = run({program(), "restore", file, directory});
    EXPECT_TRUE(answered.exit_code == 0 || answered.exit_code == 1) << "page " << page << answered.errors;
    std::filesystem::remove_all(directory);
  }
}

}  // namespace
}  // namespace birthmark::e2e
