// SPDX-License-Identifier: Apache-2.0
// Many at once for one identity (DESIGN section 3: two simultaneous first contacts give one device, never an error), and the end of a
// server in the middle of them.
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <csignal>
#include <map>
#include <set>
#include <thread>

#include "device.h"
#include "http_peer.h"
#include "load.h"
#include "server_process.h"

namespace birthmark::e2e {
namespace {

constexpr std::size_t kCrowd = 200;

// Every body on a connection of its own, all sent before any answer is read.
std::vector<std::optional<Answer>> post_at_once(std::uint16_t port, const std::vector<std::string>& bodies) {
  std::vector<std::optional<Answer>> answers(bodies.size());
  std::vector<std::thread> stations;
  for (std::size_t i = 0; i < bodies.size(); ++i)
    stations.emplace_back([&answers, &bodies, port, i] { answers[i] = post_sign(port, bodies[i]); });
  for (std::thread& station : stations) station.join();
  return answers;
}

std::map<int, std::size_t> statuses_of(const std::vector<std::optional<Answer>>& answers) {
  std::map<int, std::size_t> statuses;
  for (const auto& answer : answers) ++statuses[answer ? answer->status : 0];
  return statuses;
}

std::size_t rows_of(const std::string& json_lines) {
  return static_cast<std::size_t>(std::count(json_lines.begin(), json_lines.end(), '\n'));
}

TEST(Crowd, OneUuidWithOneKeyIsOneDeviceAndOneAnswer) {
  const Factory factory;
  const auto server = factory.serve();
  const auto answers = post_at_once(server->port(), std::vector<std::string>(kCrowd, Device::make().body()));
  EXPECT_EQ(statuses_of(answers), (std::map<int, std::size_t>{{201, kCrowd}}));
  std::set<std::string> bodies;
  for (const auto& answer : answers) bodies.insert(answer ? answer->body : std::string());
  EXPECT_EQ(bodies.size(), 1U);
  EXPECT_EQ(rows_of(factory.command({"device", "export", "--format", "json"})), 1U);
  EXPECT_NE(factory.command({"status"}).find("certificates  1\n"), std::string::npos);
}

TEST(Crowd, OneUuidWithManyKeysIsWonOnce) {
  const Factory factory;
  const auto server = factory.serve();
  const std::string uuid = random_uuid();
  std::vector<std::string> bodies;
  for (std::size_t i = 0; i < kCrowd; ++i) bodies.push_back(Device::make(uuid).body());
  const auto answers = post_at_once(server->port(), bodies);
  EXPECT_EQ(statuses_of(answers), (std::map<int, std::size_t>{{201, 1}, {409, kCrowd - 1}}));
  EXPECT_NE(factory.command({"status"}).find("certificates  1\n"), std::string::npos);
  EXPECT_EQ(factory.birthmark({"audit", "verify", "--dir", factory.directory()}).exit_code, 0);
}

TEST(Crowd, ManyDevicesAtOnceAreManyDevices) {
  const Factory factory;
  const auto server = factory.serve();
  std::vector<std::string> bodies;
  for (std::size_t i = 0; i < kCrowd; ++i) bodies.push_back(Device::make().body());
  const auto answers = post_at_once(server->port(), bodies);
  EXPECT_EQ(statuses_of(answers), (std::map<int, std::size_t>{{201, kCrowd}}));
  std::set<std::string> serials;
  for (const auto& answer : answers) serials.insert(serial_of(answer->member("client.pem")));
  EXPECT_EQ(serials.size(), kCrowd);
}

TEST(Shutdown, WhatWasSentBeforeSigtermIsAnswered) {
  const Factory factory;
  const auto server = factory.serve();
  std::vector<std::unique_ptr<HttpPeer>> peers;
  for (std::size_t i = 0; i < 64; ++i) {
    auto peer = std::make_unique<HttpPeer>(server->port());
    ASSERT_TRUE(peer->send(request_text("HEAD", "/sign", "", "")));
    ASSERT_TRUE(peer->receive(true));
    peers.push_back(std::move(peer));
  }
  std::vector<Device> devices;
  for (std::size_t i = 0; i < peers.size(); ++i) devices.push_back(Device::make());
  for (std::size_t i = 0; i < peers.size(); ++i) ASSERT_TRUE(peers[i]->send(request_text("POST", "/sign", devices[i].body())));
  server->send_signal(SIGTERM);
  std::set<std::string> serials;
  for (const auto& peer : peers) {
    const auto answer = peer->receive();
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->status, 201) << answer->body;
    serials.insert(serial_of(answer->member("client.pem")));
  }
  EXPECT_EQ(serials.size(), peers.size());
  EXPECT_EQ(server->stop(), 0) << server->log_text();
  EXPECT_EQ(rows_of(factory.command({"device", "export", "--format", "json"})), peers.size());
}

// Connections that the server has not even accepted: they wait in the kernel's queue.
TEST(Shutdown, ConnectionsThatWaitToBeAcceptedAreServedToo) {
  const Factory factory;
  const auto server = factory.serve({{}, 1});
  const std::string body = Device::make().body();
  std::vector<std::unique_ptr<HttpPeer>> peers;
  for (std::size_t i = 0; i < 64; ++i) {
    peers.push_back(std::make_unique<HttpPeer>(server->port()));
    ASSERT_TRUE(peers.back()->send(request_text("POST", "/sign", body)));
  }
  server->send_signal(SIGTERM);
  for (std::size_t i = 0; i < peers.size(); ++i) {
    const auto answer = peers[i]->receive();
    ASSERT_TRUE(answer) << i;
    EXPECT_EQ(answer->status, 201) << answer->body;
  }
  EXPECT_EQ(server->stop(), 0);
}

TEST(Shutdown, SilentAndHalfSentConnectionsDoNotHoldItUp) {
  const Factory factory;
  const auto server = factory.serve();
  const HttpPeer silent(server->port());
  HttpPeer half(server->port());
  ASSERT_TRUE(half.send("POST /sign HTTP/1.1\r\nHost: x\r\nContent-"));
  server->send_signal(SIGTERM);
  const auto end = server->wait(milliseconds(15'000));
  ASSERT_TRUE(end) << "still running";
  EXPECT_EQ(end->code, 0);
}

TEST(Crowd, ThousandsOfIdleConnectionsLeaveRoomForOneThatAsks) {
  rlimit limit{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
  if (limit.rlim_max < 4096) GTEST_SKIP() << "this machine allows only " << limit.rlim_max << " descriptors";
  limit.rlim_cur = 1024;  // what the server inherits, as on most machines
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &limit), 0);
  const Factory factory;
  const auto server = factory.serve();
  limit.rlim_cur = 4096;
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &limit), 0);
  std::vector<std::unique_ptr<HttpPeer>> idle;
  for (int i = 0; i < 1500; ++i) idle.push_back(std::make_unique<HttpPeer>(server->port()));
  const auto answer = post_sign(server->port(), Device::make().body());
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 201);
}

// The server's side of `birthmark device export | less`, with nobody turning the page, and of a caller that never says what it wants.
class StuckCaller {
 public:
  StuckCaller(const std::filesystem::path& directory, const std::string& request)
      : socket_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::string path = directory / "control.sock";
    path.copy(&address.sun_path[0], sizeof address.sun_path - 1);
    require(::connect(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0, "no control socket");
    if (request.empty()) return;
    std::string frame{'r', 0, 0, static_cast<char>(request.size() >> 8U), static_cast<char>(request.size())};
    frame += request;
    require(::send(socket_.get(), frame.data(), frame.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(frame.size()), "not sent");
  }
  // Something of the answer is there, unread.
  [[nodiscard]] bool is_being_answered() const {
    pollfd readable{socket_.get(), POLLIN, 0};
    return ::poll(&readable, 1, 60'000) == 1;
  }

 private:
  FileDescriptor socket_;
};

TEST(Shutdown, CallersWhoDoNotReadOrAskDoNotHoldItUp) {
  const Factory factory;
  const auto server = factory.serve();
  {
    Load load(server->port(), 8);
    ASSERT_TRUE(wait_until([&] { return load.acknowledged() >= 1500; }));  // their rows are more than a socket holds
  }
  const StuckCaller silent(factory.directory(), "");
  const StuckCaller pager(factory.directory(), R"({"arguments":["device","export","--format","json","--dir",")" +
                                                   factory.directory().string() + R"("],"files":[]})");
  ASSERT_TRUE(pager.is_being_answered());
  server->send_signal(SIGTERM);
  const auto end = server->wait(milliseconds(15'000));
  ASSERT_TRUE(end) << "still running";
  EXPECT_EQ(end->code, 0) << server->log_text();
}

}  // namespace
}  // namespace birthmark::e2e
