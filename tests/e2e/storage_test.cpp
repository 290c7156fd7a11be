// SPDX-License-Identifier: Apache-2.0
// A disk that is full, limited or read-only: 503 with Retry-After while it lasts, registrations again as soon as it is over, without a
// restart, and nothing acknowledged that is not there.
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>

#include "bad_weather.h"
#include "device.h"
#include "http_peer.h"
#include "server_process.h"

namespace birthmark::e2e {
namespace {

// Registers new devices until one is refused; the refusal must be the one the clients understand. The devices that got in are in
// `accepted`.
void expect_refused_cleanly(std::uint16_t port, std::vector<Device>& accepted) {
  constexpr int kMost = 2000;  // of about 2 KB each
  for (int i = 0; i < kMost; ++i) {
    Device device = Device::make();
    const auto answer = post_sign(port, device.body());
    ASSERT_TRUE(answer);
    if (answer->status == 201) {
      accepted.push_back(std::move(device));
      continue;
    }
    EXPECT_EQ(answer->status, 503) << answer->body;
    EXPECT_NE(answer->header("retry-after"), "") << answer->body;
    EXPECT_NE(answer->message(), "") << answer->body;
    EXPECT_EQ(answer->message().find("birthmark.db"), std::string::npos) << "no path of ours for a device: " << answer->body;
    return;
  }
  FAIL() << "never refused";
}

void expect_works(const Factory& factory, ServerProcess& server, const std::vector<Device>& accepted) {
  const Device device = Device::make();
  std::optional<Answer> answer;
  EXPECT_TRUE(wait_until([&] { return (answer = post_sign(server.port(), device.body())) && answer->status == 201; }, milliseconds(10'000)))
      << (answer ? answer->body : "no answer");
  for (const Device& known : accepted) {
    const auto again = post_sign(server.port(), known.body());
    ASSERT_TRUE(again);
    EXPECT_EQ(again->status, 201) << again->body;
  }
  const std::string figures = factory.command({"status"});
  EXPECT_NE(figures.find("devices       " + std::to_string(accepted.size() + 1) + "\n"), std::string::npos) << figures;
  EXPECT_EQ(factory.birthmark({"audit", "verify", "--dir", factory.directory()}).exit_code, 0);
  EXPECT_EQ(server.stop(), 0) << server.log_text();
  EXPECT_EQ(factory.birthmark({"audit", "verify", "--dir", factory.directory()}).exit_code, 0);
}

std::uintmax_t size_of(const std::filesystem::path& path) {
  std::error_code missing;
  const auto size = std::filesystem::file_size(path, missing);
  return missing ? 0 : size;
}

void limit_file_size(pid_t pid, rlim_t bytes) {
  const rlimit limit{bytes, RLIM_INFINITY};
  require(::prlimit(pid, RLIMIT_FSIZE, &limit, nullptr) == 0, "prlimit is not permitted");
}

TEST(Storage, AFileSizeLimitIsRefusedAndRecoversLive) {
  const Factory factory;
  const auto server = factory.serve();
  ASSERT_TRUE(post_sign(server->port(), Device::make().body()));
  std::vector<Device> accepted;
  // As full as it is now: neither the database nor its log can grow.
  limit_file_size(server->pid(), std::max(size_of(factory.database()), size_of(factory.database().string() + "-wal")));
  expect_refused_cleanly(server->port(), accepted);
  ASSERT_TRUE(server->runs()) << "SIGXFSZ is no reason to die";
  limit_file_size(server->pid(), RLIM_INFINITY);
  accepted.clear();
  const Device device = Device::make();
  EXPECT_TRUE(wait_until([&] {
    const auto answer = post_sign(server->port(), device.body());
    return answer && answer->status == 201;
  }));
  EXPECT_EQ(server->stop(), 0) << server->log_text();
  EXPECT_EQ(factory.birthmark({"audit", "verify", "--dir", factory.directory()}).exit_code, 0);
}

// A small file system of its own that ends with this process.
[[nodiscard]] bool mount_at(const std::filesystem::path& path, const char* size) {
  static const bool alone = ::unshare(CLONE_NEWNS) == 0 && ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
  return alone && ::mount("tmpfs", path.c_str(), "tmpfs", 0, (std::string("mode=0700,size=") + size).c_str()) == 0;
}

TEST(Storage, AFullDiskIsRefusedAndRecoversLive) {
  const Factory factory;
  const auto disk = factory.scratch() / "disk";
  std::filesystem::create_directory(disk);
  if (!mount_at(disk, "1200k")) GTEST_SKIP() << "mounting is not permitted here";
  std::filesystem::copy(factory.directory(), disk / "factory", std::filesystem::copy_options::recursive);
  std::filesystem::permissions(disk / "factory", std::filesystem::perms::owner_all);
  std::filesystem::rename(factory.directory(), factory.scratch() / "original");
  std::filesystem::create_directory_symlink(disk / "factory", factory.directory());
  const auto server = factory.serve();
  write_text(disk / "filler", std::string(200'000, 'x'));
  std::vector<Device> accepted;
  expect_refused_cleanly(server->port(), accepted);
  ASSERT_TRUE(server->runs());
  std::filesystem::remove(disk / "filler");
  expect_works(factory, *server, accepted);
  ::umount2(disk.c_str(), MNT_DETACH);
}

TEST(Storage, ADatabaseThatBecomesReadOnlyIsRefusedAndRecoversLive) {
  const Factory factory;
  BadWeather weather(factory.scratch() / "weather");
  const auto server = factory.serve({weather.environment(), 2});
  std::vector<Device> accepted;
  accepted.push_back(Device::make());
  const auto first = post_sign(server->port(), accepted[0].body());
  ASSERT_TRUE(first && first->status == 201);
  weather.make_read_only(true);
  expect_refused_cleanly(server->port(), accepted);
  const auto replayed = post_sign(server->port(), accepted[0].body());
  ASSERT_TRUE(replayed);
  EXPECT_EQ(replayed->body, first->body) << "what is recorded can still be answered";
  EXPECT_EQ(factory.birthmark({"device", "deny", accepted[0].uuid, "--reason", "x", "--dir", factory.directory()}).exit_code, 1);
  weather.make_read_only(false);
  expect_works(factory, *server, accepted);
}

TEST(Storage, AReadOnlyDirectoryIsNoPlaceToStart) {
  const Factory factory;
  const auto disk = factory.scratch() / "disk";
  std::filesystem::create_directory(disk);
  if (!mount_at(disk, "4m")) GTEST_SKIP() << "mounting is not permitted here";
  std::filesystem::copy(factory.directory(), disk, std::filesystem::copy_options::recursive);
  ASSERT_EQ(::mount("tmpfs", disk.c_str(), "tmpfs", MS_REMOUNT | MS_RDONLY, "mode=0700"), 0);
  const Outcome refused = factory.birthmark({"serve", "--dir", disk, "--listen", "registration=127.0.0.1:0"});
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_NE(refused.errors.find("Read-only file system"), std::string::npos) << refused.errors;
  ::umount2(disk.c_str(), MNT_DETACH);
}

}  // namespace
}  // namespace birthmark::e2e
