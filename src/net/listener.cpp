// SPDX-License-Identifier: Apache-2.0
// Sockets by hand: one per listener, without SO_REUSEPORT (a second process could bind it unnoticed, and hashing loads cores unevenly).
#include "net/listener.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <cstring>

#include "base/log.h"
#include "net/worker.h"

namespace birthmark::net {
namespace {

constexpr auto kToken = boost::asio::as_tuple(boost::asio::use_awaitable);
constexpr auto kReadable = boost::asio::posix::descriptor_base::wait_read;
constexpr int kBacklog = 4'096;
constexpr int kAcceptsInOneGo = 64;  // then the other connections of this thread have their turn
constexpr std::chrono::milliseconds kPause{100};
constexpr std::int64_t kComplainEveryMs = 10'000;

union SocketAddress {
  sockaddr any;
  sockaddr_in v4;
  sockaddr_in6 v6;
};

struct BindAddress {
  SocketAddress address{};
  socklen_t size = 0;
};

BindAddress address_v4(in_addr host, std::uint16_t port) {
  BindAddress made;
  made.address.v4.sin_family = AF_INET;
  made.address.v4.sin_addr = host;
  made.address.v4.sin_port = htons(port);
  made.size = sizeof(sockaddr_in);
  return made;
}

BindAddress address_v6(const in6_addr& host, std::uint16_t port) {
  BindAddress made;
  made.address.v6.sin6_family = AF_INET6;
  made.address.v6.sin6_addr = host;
  made.address.v6.sin6_port = htons(port);
  made.size = sizeof(sockaddr_in6);
  return made;
}

// Names are not looked up: what is listened on must not depend on a resolver. "" is every address of the machine.
Result<BindAddress> resolve(const Endpoint& endpoint) {
  in_addr v4{};
  in6_addr v6 = IN6ADDR_ANY_INIT;
  const std::string host = endpoint.host == "localhost" ? "127.0.0.1" : endpoint.host;
  if (host.empty()) return address_v6(v6, endpoint.port);
  if (::inet_pton(AF_INET, host.c_str(), &v4) == 1) return address_v4(v4, endpoint.port);
  if (::inet_pton(AF_INET6, host.c_str(), &v6) == 1) return address_v6(v6, endpoint.port);
  return fail(ErrorCode::invalid, "cannot listen on " + to_string(endpoint) + ": the host is not an address of this machine");
}

tl::unexpected<Error> cannot_listen(const Endpoint& endpoint, int number) {
  const ErrorCode code = number == EADDRINUSE ? ErrorCode::unavailable : ErrorCode::misconfigured;
  return fail(code, "cannot listen on " + to_string(endpoint) + ": " + describe_errno(number));
}

void set_option(int descriptor, int level, int option, int value) {
  ::setsockopt(descriptor, level, option, &value, sizeof value);  // an optimisation or a default at most: failure changes nothing
}

Result<FileDescriptor> bind_and_listen(const Endpoint& endpoint) {
  BIRTHMARK_TRY(BindAddress where, resolve(endpoint));
  const int type = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC;
  FileDescriptor socket(::socket(where.address.any.sa_family, type, 0));
  if (!socket.valid() && endpoint.host.empty()) {  // a machine without IPv6
    where = address_v4(in_addr{.s_addr = INADDR_ANY}, endpoint.port);
    socket.reset(::socket(AF_INET, type, 0));
  }
  if (!socket.valid()) return cannot_listen(endpoint, errno);
  set_option(socket.get(), SOL_SOCKET, SO_REUSEADDR, 1);
  if (where.address.any.sa_family == AF_INET6) set_option(socket.get(), IPPROTO_IPV6, IPV6_V6ONLY, endpoint.host.empty() ? 0 : 1);
  if (::bind(socket.get(), &where.address.any, where.size) != 0) return cannot_listen(endpoint, errno);
  if (::listen(socket.get(), kBacklog) != 0) return cannot_listen(endpoint, errno);
  return socket;
}

// IPv4-mapped IPv6 addresses (RFC 4291 2.5.5.2) in IPv4 form.
PeerIdentity describe(const SocketAddress& address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  PeerIdentity peer;
  if (address.any.sa_family == AF_INET) {
    ::inet_ntop(AF_INET, &address.v4.sin_addr, text.data(), text.size());
    peer.port = ntohs(address.v4.sin_port);
  } else if (address.any.sa_family == AF_INET6) {
    const in6_addr& host = address.v6.sin6_addr;
    if (IN6_IS_ADDR_V4MAPPED(&host)) {
      ::inet_ntop(AF_INET, &host.s6_addr[12], text.data(), text.size());
    } else {
      ::inet_ntop(AF_INET6, &host, text.data(), text.size());
    }
    peer.port = ntohs(address.v6.sin6_port);
  }
  peer.address = text.data();
  return peer;
}

}  // namespace

Result<std::unique_ptr<Listener>> Listener::open(const Endpoint& endpoint, boost::asio::io_context& context, Admit admit) {
  BIRTHMARK_TRY(FileDescriptor socket, bind_and_listen(endpoint));
  SocketAddress bound{};
  socklen_t size = sizeof bound;
  if (::getsockname(socket.get(), &bound.any, &size) != 0) return cannot_listen(endpoint, errno);
  const Endpoint local{.host = endpoint.host, .port = describe(bound).port};
  std::unique_ptr<Listener> listener(new Listener(context, local, std::move(admit)));
  boost::system::error_code error;
  listener->descriptor_.assign(socket.get(), error);
  if (error) return fail(ErrorCode::unavailable, "cannot listen on " + to_string(endpoint) + ": " + error.message());
  socket.release();
  return listener;
}

Listener::Listener(boost::asio::io_context& context, Endpoint local, Admit admit)
    : local_(std::move(local)), admit_(std::move(admit)), descriptor_(context), pause_(context) {}

Task<void> Listener::run(std::shared_ptr<Listener> self) {
  while (!self->closed_) {
    auto waited = co_await self->descriptor_.async_wait(kReadable, kToken);
    if (self->closed_) break;
    const bool failed = static_cast<bool>(std::get<0>(waited));
    if (failed || self->accept_waiting() == Outcome::out_of_resources) {
      self->pause_.expires_after(kPause);
      co_await self->pause_.async_wait(kToken);
    }
  }
}

void Listener::close() {
  if (closed_) return;
  closed_ = true;
  while (accept_waiting() == Outcome::more_may_wait) {
  }
  pause_.cancel();
  boost::system::error_code ignored;
  descriptor_.close(ignored);
}

Listener::Outcome Listener::accept_waiting() {
  for (int i = 0; i < kAcceptsInOneGo; ++i) {
    SocketAddress address{};
    socklen_t size = sizeof address;
    FileDescriptor socket(::accept4(descriptor_.native_handle(), &address.any, &size, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!socket.valid()) {
      const Outcome outcome = after_accept_error(errno);
      if (outcome == Outcome::more_may_wait) continue;
      return outcome;
    }
    set_option(socket.get(), IPPROTO_TCP, TCP_NODELAY, 1);
    admit_(std::move(socket), describe(address));
  }
  return Outcome::more_may_wait;
}

// accept(2) reports errors of the waiting connection as its own; those are that peer's affair.
Listener::Outcome Listener::after_accept_error(int number) {
  switch (number) {
    case EAGAIN: return Outcome::nothing_waits;
    case EINTR:
    case ECONNABORTED:
    case EPROTO:
    case ENETDOWN:
    case ENOPROTOOPT:
    case EHOSTDOWN:
    case ENONET:
    case EHOSTUNREACH:
    case EOPNOTSUPP:
    case ENETUNREACH:
    case EPERM: return Outcome::more_may_wait;
    default: break;
  }
  const std::int64_t now = steady_ms();
  if (complained_ms_ == 0 || now - complained_ms_ >= kComplainEveryMs) {
    log::warning("connections cannot be accepted", {{"address", to_string(local_)}, {"reason", describe_errno(number)}});
    complained_ms_ = now;
  }
  return Outcome::out_of_resources;
}

}  // namespace birthmark::net
