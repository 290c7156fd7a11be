// SPDX-License-Identifier: Apache-2.0
// One network thread: its io_context, its connections, the read buffer they share and the timer that sweeps their deadlines.
// Made by server.cpp. What is not marked otherwise is called on the worker's own thread only.
#pragma once

#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/file.h"
#include "net/request_reader.h"
#include "net/server.h"

namespace birthmark::net {

class Connection;

// What a connection needs only while a request is under way; idle ones hold none.
struct Exchange {
  Exchange(std::size_t header_limit, std::size_t body_limit) : reader(header_limit, body_limit) {}
  RequestReader reader;
  std::string out;
};

enum class Admission : std::uint8_t {
  served,
  refused,  // over the connection limit: told so, and closed
};

// What a listener offers; its connections keep it.
struct Service {
  Handler& handler;
  ListenOptions options;
};

class Worker {
 public:
  // `on_closed` is called, on the worker's thread, after each connection is gone.
  Worker(const Limits& limits, std::function<void()> on_closed);
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  // --- from any thread ---
  [[nodiscard]] Status start();
  // Takes over a connected socket.
  void adopt(FileDescriptor socket, PeerIdentity peer, std::shared_ptr<const Service> service, Admission admission);
  // Idle connections close now, the others after the request they are at.
  void drain();
  // Everything that does not wait for its handler is closed.
  void abort_connections();
  // Ends the thread, whatever its connections do.
  void finish();
  [[nodiscard]] std::size_t load() const { return load_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t requests() const { return requests_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t refused() const { return refused_.load(std::memory_order_relaxed); }
  [[nodiscard]] boost::asio::io_context& context() { return context_; }

  // --- for its connections ---
  [[nodiscard]] const Limits& limits() const { return limits_; }
  [[nodiscard]] std::span<char> scratch() { return scratch_; }
  [[nodiscard]] std::unique_ptr<Exchange> take_exchange(std::size_t body_limit);
  void give_back(std::unique_ptr<Exchange> exchange);
  [[nodiscard]] std::string_view date() const { return date_; }
  [[nodiscard]] bool draining() const { return draining_; }
  void count_request() { requests_.store(requests() + 1, std::memory_order_relaxed); }
  void count_refused() { refused_.store(refused() + 1, std::memory_order_relaxed); }
  std::size_t enlist(Connection& connection);
  void delist(std::size_t position);

 private:
  void serve(FileDescriptor socket, PeerIdentity peer, std::shared_ptr<const Service> service, Admission admission);
  void sweep();
  void run();

  Limits limits_;
  std::function<void()> on_closed_;
  std::vector<char> scratch_;
  std::vector<std::unique_ptr<Exchange>> spare_;
  std::vector<Connection*> connections_;
  std::string date_;
  std::time_t date_second_ = 0;
  bool draining_ = false;
  std::atomic<std::size_t> load_ = 0;
  std::atomic<std::uint64_t> requests_ = 0;  // written by this thread only
  std::atomic<std::uint64_t> refused_ = 0;
  boost::asio::io_context context_{1};  // after what its unfinished coroutines refer to
  boost::asio::steady_timer sweeper_;
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> guard_;
  std::thread thread_;
};

// Milliseconds of the steady clock; 0 never occurs.
[[nodiscard]] std::int64_t steady_ms();

}  // namespace birthmark::net
