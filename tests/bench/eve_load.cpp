// SPDX-License-Identifier: Apache-2.0
#include "eve_load.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <array>
#include <atomic>
#include <charconv>
#include <chrono>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "base/file.h"

namespace birthmark::bench {
namespace {

struct ContextFree {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};
struct SslFree {
  void operator()(SSL* ssl) const { SSL_free(ssl); }
};
using ContextHandle = std::unique_ptr<SSL_CTX, ContextFree>;
using SslHandle = std::unique_ptr<SSL, SslFree>;

class Connection {
 public:
  static Result<Connection> open(SSL_CTX* context, std::uint16_t port) {
    Connection made;
    made.socket_.reset(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(made.socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
      return fail(ErrorCode::unavailable, "connect: " + describe_errno(errno));
    const int on = 1;
    ::setsockopt(made.socket_.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    made.ssl_.reset(SSL_new(context));
    if (!made.ssl_ || SSL_set_fd(made.ssl_.get(), made.socket_.get()) != 1 || SSL_connect(made.ssl_.get()) != 1)
      return fail(ErrorCode::unavailable, "the TLS handshake failed");
    return made;
  }

  Status ask(const std::string& request, int expected_status) {
    std::size_t moved = 0;
    if (SSL_write_ex(ssl_.get(), request.data(), request.size(), &moved) != 1) return fail(ErrorCode::unavailable, "the server went");
    std::string received;
    for (;;) {
      std::array<char, 8192> buffer;
      if (SSL_read_ex(ssl_.get(), buffer.data(), buffer.size(), &moved) != 1) return fail(ErrorCode::unavailable, "the server closed");
      received.append(buffer.data(), moved);
      if (is_whole(received)) break;
    }
    if (received.starts_with("HTTP/1.1 " + std::to_string(expected_status))) return {};
    return fail(ErrorCode::internal, "unexpected answer: " + received);
  }

 private:
  static bool is_whole(std::string_view received) {
    constexpr std::string_view kLength = "Content-Length: ";
    const std::size_t head = received.find("\r\n\r\n");
    if (head == std::string_view::npos) return false;
    const std::size_t at = received.substr(0, head).find(kLength);
    std::size_t length = 0;
    if (at != std::string_view::npos) std::from_chars(received.data() + at + kLength.size(), received.data() + head, length);
    return received.size() >= head + 4 + length;
  }

  FileDescriptor socket_;
  SslHandle ssl_;
};

}  // namespace

Result<EveLoadResult> run_eve_load(std::uint16_t port, unsigned connections, std::span<const std::string> requests, int expected_status) {
  const ContextHandle context(SSL_CTX_new(TLS_client_method()));
  if (!context) return fail(ErrorCode::unavailable, "OpenSSL gives no context");
  std::vector<Connection> open;
  for (unsigned i = 0; i < connections; ++i) {
    BIRTHMARK_TRY(auto connection, Connection::open(context.get(), port));
    open.push_back(std::move(connection));
  }
  std::atomic<std::size_t> next{0};
  std::mutex mutex;
  Status outcome;
  const auto begun = std::chrono::steady_clock::now();
  std::vector<std::thread> threads;
  for (Connection& connection : open) {
    threads.emplace_back([&] {
      for (std::size_t i = next++; i < requests.size(); i = next++) {
        Status asked = connection.ask(requests[i], expected_status);
        if (asked) continue;
        const std::lock_guard lock(mutex);
        outcome = std::move(asked);
        next = requests.size();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  if (!outcome) return tl::make_unexpected(outcome.error());
  EveLoadResult result;
  result.answered = requests.size();
  result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
  return result;
}

}  // namespace birthmark::bench
