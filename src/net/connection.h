// SPDX-License-Identifier: Apache-2.0
// One peer's connection: reads a request, asks the handler, writes the answer, again. Made by Worker, runs on its thread only.
// All decisions are in advance(), which never waits; run() waits for whatever advance() asks for.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "net/channel.h"
#include "net/worker.h"

namespace birthmark::net {

class Connection {
 public:
  // Null when the descriptor cannot be watched; the socket is closed then.
  [[nodiscard]] static std::unique_ptr<Connection> create(Worker& worker, std::shared_ptr<const Service> service, FileDescriptor socket,
                                                          PeerIdentity peer, Admission admission);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  [[nodiscard]] static Task<void> run(std::unique_ptr<Connection> self);

  void sweep(std::int64_t now_ms);
  void drain();
  void abort();
  void moved_to(std::size_t position) { position_ = position; }

 private:
  enum class Phase : std::uint8_t { reading, handling, writing, lingering, closed };
  enum class Want : std::uint8_t { again, readable, writable, answer, handler, nothing };
  enum class Afterwards : std::uint8_t { next_request, rest_of_request, close };

  using Descriptor = boost::asio::posix::basic_stream_descriptor<boost::asio::io_context::executor_type>;

  Connection(Worker& worker, std::shared_ptr<const Service> service, Descriptor descriptor, std::unique_ptr<Channel> channel,
             PeerIdentity peer);

  [[nodiscard]] Want advance();
  [[nodiscard]] Want read();
  [[nodiscard]] Want take_progress(ReadProgress progress);
  [[nodiscard]] Want wait_for_more();
  [[nodiscard]] Want write();
  [[nodiscard]] Want written();
  [[nodiscard]] Want linger();
  [[nodiscard]] Want wait(IoState state) const;

  [[nodiscard]] Task<void> wait_for_answer();
  [[nodiscard]] Task<Response> ask_handler();
  void answer(Response response);
  void refuse(int status, std::string_view message);
  void become_idle();
  void close_idle();
  void close_orderly();
  void settle_deliveries();
  void release_exchange();

  void arm(std::chrono::milliseconds timeout) { deadline_ms_ = steady_ms() + timeout.count(); }
  void arm_for_unfinished();
  void disarm() { deadline_ms_ = 0; }

  Worker& worker_;
  const std::shared_ptr<const Service> service_;
  Descriptor descriptor_;
  std::unique_ptr<Channel> channel_;
  PeerIdentity peer_;
  std::unique_ptr<Exchange> exchange_;              // while a request is under way
  std::vector<std::function<void()>> undelivered_;  // of answers written, not known to have arrived
  std::function<void()> on_delivered_;              // of the answer being written
  std::size_t position_ = 0;
  std::size_t written_ = 0;
  std::size_t lingered_ = 0;
  std::int64_t deadline_ms_ = 0;  // 0: none
  std::int64_t started_ms_ = 0;   // of the unfinished request; 0: none
  Phase phase_ = Phase::reading;
  Afterwards afterwards_ = Afterwards::next_request;
  bool timed_out_ = false;
  bool aborted_ = false;
};

}  // namespace birthmark::net
