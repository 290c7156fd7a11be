// SPDX-License-Identifier: Apache-2.0
// A handler with the behaviours the engine has to cope with, and a server around it.
//   /hello /echo /big?BYTES /throw /bad /delivered    answer at once
//   /other-thread                                     answers after another thread resumed it
//   /held                                             answers when the test calls release()
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <mutex>
#include <thread>
#include <vector>

#include "base/suspend.h"
#include "net/server.h"
#include "raw_peer.h"

namespace birthmark::net_test {

class TestSite : public net::Handler {
 public:
  ~TestSite() override;
  [[nodiscard]] Task<net::Response> handle(const net::Request& request) override;

  void release();  // all that are held
  [[nodiscard]] std::size_t held();
  [[nodiscard]] int handled() const { return handled_; }
  [[nodiscard]] int delivered() const { return delivered_; }
  [[nodiscard]] std::string last_peer();

 private:
  [[nodiscard]] Task<net::Response> answer_from_other_thread();
  [[nodiscard]] Task<net::Response> answer_when_released(std::string body);

  std::mutex mutex_;
  std::vector<Resume<int>> waiting_;
  std::vector<std::thread> threads_;
  std::string last_peer_;
  std::atomic<int> handled_ = 0;
  std::atomic<int> delivered_ = 0;
};

class EngineTest : public testing::Test {
 protected:
  void serve(net::Limits limits = {}, unsigned threads = 2);
  void TearDown() override;
  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] std::optional<Answer> ask(std::string_view request) { return RawPeer(port_).ask(request); }
  [[nodiscard]] bool all_closed() {
    return eventually([this] { return server_->statistics().connections_open == 0; });
  }

  TestSite site_;
  std::unique_ptr<net::Server> server_;

 private:
  std::uint16_t port_ = 0;
};

[[nodiscard]] inline std::string get(std::string_view path) {
  return "GET " + std::string(path) + " HTTP/1.1\r\nHost: test\r\n\r\n";
}
[[nodiscard]] inline std::string post(std::string_view path, std::string_view body) {
  return "POST " + std::string(path) + " HTTP/1.1\r\nHost: test\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
         std::string(body);
}

}  // namespace birthmark::net_test
