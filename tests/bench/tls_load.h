// SPDX-License-Identifier: Apache-2.0
// Devices at an mTLS listener over loopback: one thread, one epoll, many connections. wrk and its like cannot show a client certificate,
// let alone another one with each connection.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include "device_fleet.h"
#include "load_generator.h"

namespace birthmark::bench {

// One connection each: a handshake, one request with its answer, the end.
struct VisitPlan {
  std::uint16_t port = 0;
  std::string request;        // empty: only the handshake
  std::string expected = {};  // how each answer begins
  unsigned connections = 8;   // at once
  std::size_t visits = 0;
  double rate = 0;      // visits begun in a second, late ones as soon as a connection is free; 0: one after the other
  bool resume = false;  // with the session of the device's earlier visit; a visit that does not resume is an error
};

// Connections that stay: `requests` over all of them.
struct KeepAlivePlan {
  std::uint16_t port = 0;
  std::string request;
  std::string expected;
  unsigned connections = 64;
  std::size_t requests = 0;
};

class TlsLoad {
 public:
  // The devices come in turn. They outlive it.
  [[nodiscard]] static Result<std::unique_ptr<TlsLoad>> create(std::span<const FleetDevice> devices);
  virtual ~TlsLoad() = default;

  // The time of a visit is from its connect() to the whole answer, or to the end of the handshake. With a rate: from when it was due.
  [[nodiscard]] virtual Result<LoadResult> visit(const VisitPlan& plan) = 0;
  // Handshakes and one request of each connection come before the clock starts; `starting` is called then.
  [[nodiscard]] virtual Result<LoadResult> keep_alive(const KeepAlivePlan& plan, const std::function<void()>& starting) = 0;
  // Opens connections, asks once on each, and keeps them until release().
  [[nodiscard]] virtual Status hold(const KeepAlivePlan& plan) = 0;
  virtual void release() = 0;
};

}  // namespace birthmark::bench
