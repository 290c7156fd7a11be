// SPDX-License-Identifier: Apache-2.0
// A TCP connection that we open from a network thread, for protocols in which the device is the server (faces/izuma: the Factory
// Configurator Client). Waits without blocking the thread; every step has its deadline.
#pragma once

#include <chrono>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/task.h"

namespace birthmark::net {

using Deadline = std::chrono::steady_clock::time_point;

class OutgoingConnection {
 public:
  // `address` is an IPv4 or IPv6 address, never a name: what a peer names must not depend on a resolver. A refused connection is tried
  // again until `deadline` (nothing was sent yet). The connection lives on the executor of the coroutine that opens it.
  [[nodiscard]] static Task<Result<std::unique_ptr<OutgoingConnection>>> open(std::string address, std::uint16_t port, Deadline deadline);
  virtual ~OutgoingConnection() = default;

  // unavailable when the peer is gone or the time is over.
  [[nodiscard]] virtual Task<Status> send(std::string_view bytes, Deadline deadline) = 0;
  // How many octets came, at least one; 0 at the orderly end of the peer's stream.
  [[nodiscard]] virtual Task<Result<std::size_t>> receive(std::span<char> into, Deadline deadline) = 0;
  // Whether the peer's TCP may have got any of what was sent.
  [[nodiscard]] virtual bool anything_sent() const = 0;
};

}  // namespace birthmark::net
