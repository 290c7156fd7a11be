// SPDX-License-Identifier: Apache-2.0
// What the test handler answers, path by path.
#include "test_site.h"

#include <charconv>
#include <stdexcept>

namespace birthmark::net_test {

TestSite::~TestSite() {
  for (std::thread& thread : threads_) thread.join();
}

Task<net::Response> TestSite::handle(const net::Request& request) {
  ++handled_;
  {
    const std::lock_guard lock(mutex_);
    last_peer_ = request.peer.address;
  }
  net::Response response;
  if (request.path == "/hello") {
    response.body = "{\"hello\": true}";
  } else if (request.path == "/echo") {
    response.content_type = "text/plain";
    response.body = std::string(request.method) + " " + std::string(request.query) + " " + std::string(request.body);
  } else if (request.path == "/big") {
    std::size_t size = 0;
    std::from_chars(request.query.data(), request.query.data() + request.query.size(), size);
    response.body.assign(size, 'b');
  } else if (request.path == "/throw") {
    throw std::runtime_error("on purpose");
  } else if (request.path == "/bad") {
    response.headers.emplace_back("X", "a\r\nInjected: b");
  } else if (request.path == "/delivered") {
    response.on_delivered = [this] { ++delivered_; };
    response.body.assign(3'000, 'd');
  } else if (request.path == "/other-thread") {
    co_return co_await answer_from_other_thread();
  } else if (request.path == "/held") {
    std::string body(request.body);
    co_return co_await answer_when_released(body);
  } else {
    co_return net::json_error(404, "no such page");
  }
  co_return response;
}

Task<net::Response> TestSite::answer_from_other_thread() {
  auto start = [this](Resume<int> resume) {
    const std::lock_guard lock(mutex_);
    threads_.emplace_back([resume = std::move(resume)]() mutable { resume(42); });
  };
  auto number = co_await suspend<int>(start);
  net::Response response;
  response.body = std::to_string(number);
  co_return response;
}

Task<net::Response> TestSite::answer_when_released(std::string body) {
  auto start = [this](Resume<int> resume) {
    const std::lock_guard lock(mutex_);
    waiting_.push_back(std::move(resume));
  };
  auto number = co_await suspend<int>(start);
  net::Response response;
  response.body = body + std::to_string(number);
  response.on_delivered = [this] { ++delivered_; };
  co_return response;
}

void TestSite::release() {
  const std::lock_guard lock(mutex_);
  for (Resume<int>& resume : waiting_) resume(7);
  waiting_.clear();
}

std::size_t TestSite::held() {
  const std::lock_guard lock(mutex_);
  return waiting_.size();
}

std::string TestSite::last_peer() {
  const std::lock_guard lock(mutex_);
  return last_peer_;
}

void EngineTest::serve(net::Limits limits, unsigned threads) {
  auto server = net::Server::create(threads, limits);
  ASSERT_TRUE(server) << server.error().describe();
  server_ = std::move(*server);
  const net::Endpoint any_port{.host = "127.0.0.1", .port = 0};
  const auto bound = server_->listen(any_port, site_);
  ASSERT_TRUE(bound) << bound.error().describe();
  port_ = bound->port;
  const Status started = server_->start();
  ASSERT_TRUE(started) << started.error().describe();
}

void EngineTest::TearDown() {
  site_.release();
  if (server_) server_->stop();
}

}  // namespace birthmark::net_test
