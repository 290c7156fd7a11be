// SPDX-License-Identifier: Apache-2.0
// One listening socket and its acceptor, which hands every connected socket on. Made by server.cpp.
// Accept errors never end it and never make it spin.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <functional>
#include <memory>

#include "base/file.h"
#include "net/server.h"

namespace birthmark::net {

class Listener {
 public:
  using Admit = std::function<void(FileDescriptor socket, PeerIdentity peer)>;

  // Binds and listens. An error names the address and the reason.
  [[nodiscard]] static Result<std::unique_ptr<Listener>> open(const Endpoint& endpoint, boost::asio::io_context& context, Admit admit);

  [[nodiscard]] const Endpoint& local() const { return local_; }
  // Accepts until close(). `self` stays alive as long as its coroutine.
  [[nodiscard]] static Task<void> run(std::shared_ptr<Listener> self);
  // Hands on what already waits, then stops listening. On the context's thread.
  void close();

 private:
  enum class Outcome : std::uint8_t { nothing_waits, more_may_wait, out_of_resources };

  Listener(boost::asio::io_context& context, Endpoint local, Admit admit);
  [[nodiscard]] Outcome accept_waiting();
  [[nodiscard]] Outcome after_accept_error(int number);

  Endpoint local_;
  Admit admit_;
  boost::asio::posix::stream_descriptor descriptor_;
  boost::asio::steady_timer pause_;
  std::int64_t complained_ms_ = 0;
  bool closed_ = false;
};

}  // namespace birthmark::net
