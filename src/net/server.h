// SPDX-License-Identifier: Apache-2.0
// The listeners' engine: one io_context per core, one acceptor per listener that hands each connection to the least loaded of them.
// HTTP/1.1, plain or behind TLS (net/tls_server.h). Only room (with its .cpp files) that knows Boost.Beast.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "base/result.h"
#include "net/http.h"

namespace birthmark::net {

class TlsServer;

struct Limits {
  std::size_t header_bytes = 16U << 10U;               // 431 beyond
  std::size_t body_bytes = 64U << 10U;                 // 413 beyond
  std::chrono::milliseconds header_timeout{10'000};    // from the first byte of a request to the end of its headers
  std::chrono::milliseconds request_timeout{30'000};   // from its first byte to the end of its body
  std::chrono::milliseconds idle_timeout{60'000};      // between requests
  std::chrono::milliseconds write_timeout{30'000};     // without progress while the answer is sent
  std::chrono::milliseconds shutdown_timeout{20'000};  // what stop() waits for accepted requests
  std::size_t connections = 10'000;                    // over all listeners of the server; one more is answered 503 and closed
};

struct Endpoint {
  std::string host;  // an address, "localhost", or "" for all
  std::uint16_t port = 0;
};
// "127.0.0.1:8000", ":8000", "[::1]:8000", "localhost:8000".
[[nodiscard]] Result<Endpoint> parse_endpoint(std::string_view text);
[[nodiscard]] std::string to_string(const Endpoint& endpoint);

struct ListenOptions {
  std::shared_ptr<TlsServer> tls = nullptr;  // null: plain
  std::size_t body_bytes = 0;                // instead of Limits::body_bytes; 0: that one
};

struct ServerStatistics {
  std::uint64_t connections_accepted = 0;
  std::uint64_t connections_open = 0;
  std::uint64_t requests = 0;
  std::uint64_t refused_malformed = 0;  // answered by the engine itself: 400, 408, 413, 431, 501, 503
};

class Server {
 public:
  // `threads` 0: one per core.
  [[nodiscard]] static Result<std::unique_ptr<Server>> create(unsigned threads, Limits limits);
  virtual ~Server() = default;

  // Binds and listens now (an error names the address and the reason); connections are served once run() is called.
  // Port 0 takes a free port; the answer says which. `handler` must outlive the server.
  [[nodiscard]] virtual Result<Endpoint> listen(const Endpoint& endpoint, Handler& handler, ListenOptions options) = 0;
  [[nodiscard]] Result<Endpoint> listen(const Endpoint& endpoint, Handler& handler) { return listen(endpoint, handler, {}); }

  // Starts the threads and returns.
  [[nodiscard]] virtual Status start() = 0;
  // No new connections, idle ones closed, accepted requests finished, at most limits.shutdown_timeout; then the threads end.
  // Safe to call twice.
  virtual void stop() = 0;

  [[nodiscard]] virtual ServerStatistics statistics() const = 0;
};

}  // namespace birthmark::net
