// SPDX-License-Identifier: Apache-2.0
#include "net/outgoing.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <optional>

#include "base/file.h"
#include "net/channel.h"

namespace birthmark::net {
namespace {

constexpr auto kToken = boost::asio::as_tuple(boost::asio::use_awaitable);
constexpr std::chrono::milliseconds kBetweenTries{200};

union SocketAddress {
  sockaddr any;
  sockaddr_in v4;
  sockaddr_in6 v6;
};

struct Target {
  SocketAddress address{};
  socklen_t size = 0;
};

std::optional<Target> parse_target(const std::string& address, std::uint16_t port) {
  Target target;
  if (::inet_pton(AF_INET, address.c_str(), &target.address.v4.sin_addr) == 1) {
    target.address.v4.sin_family = AF_INET;
    target.address.v4.sin_port = htons(port);
    target.size = sizeof(sockaddr_in);
    return target;
  }
  if (::inet_pton(AF_INET6, address.c_str(), &target.address.v6.sin6_addr) == 1) {
    target.address.v6.sin6_family = AF_INET6;
    target.address.v6.sin6_port = htons(port);
    target.size = sizeof(sockaddr_in6);
    return target;
  }
  return std::nullopt;
}

std::string text_of(const std::string& address, std::uint16_t port) {
  const bool v6 = address.find(':') != std::string::npos;
  return (v6 ? "[" + address + "]" : address) + ":" + std::to_string(port);
}

// What a timer's handler may still look at when the connection is gone: it can be queued already when it is stopped.
struct Line {
  explicit Line(const boost::asio::any_io_executor& executor) : descriptor(executor) {}
  boost::asio::posix::stream_descriptor descriptor;
  std::uint64_t wait = 0;  // the number of the present or last one
};

class Outgoing final : public OutgoingConnection {
 public:
  Outgoing(const boost::asio::any_io_executor& executor, std::string peer)
      : line_(std::make_shared<Line>(executor)), timer_(executor), peer_(std::move(peer)) {}
  ~Outgoing() override {
    ++line_->wait;
    boost::system::error_code ignored;
    line_->descriptor.close(ignored);
  }

  // 0, or an errno value.
  [[nodiscard]] Task<int> connect(const Target& target, Deadline deadline) {
    FileDescriptor socket(::socket(target.address.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!socket.valid()) co_return errno;
    const int on = 1;
    ::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    const int begun = ::connect(socket.get(), &target.address.any, target.size) == 0 ? 0 : errno;
    if (begun != 0 && begun != EINPROGRESS) co_return begun;
    boost::system::error_code error;
    if (line_->descriptor.is_open()) line_->descriptor.close(error);
    line_->descriptor.assign(socket.get(), error);
    if (error) co_return error.value();
    socket.release();
    channel_.emplace(line_->descriptor.native_handle());
    if (begun == 0) co_return 0;
    const bool ready = co_await wait(boost::asio::posix::descriptor_base::wait_write, deadline);
    if (!ready) co_return ETIMEDOUT;
    int result = 0;
    socklen_t size = sizeof result;
    co_return ::getsockopt(line_->descriptor.native_handle(), SOL_SOCKET, SO_ERROR, &result, &size) == 0 ? result : errno;
  }

  // False when the time is over first.
  [[nodiscard]] Task<bool> pause(std::chrono::milliseconds lasts, Deadline deadline) {
    const Deadline until = std::chrono::steady_clock::now() + lasts;
    if (until >= deadline) co_return false;
    timer_.expires_at(until);
    co_await timer_.async_wait(kToken);
    co_return true;
  }

  Task<Status> send(std::string_view bytes, Deadline deadline) override {
    while (!bytes.empty()) {
      const IoResult moved = channel_->send(bytes);
      if (moved.state == IoState::done) {
        sent_ = true;
        bytes.remove_prefix(moved.size);
        continue;
      }
      if (moved.state != IoState::want_write) co_return gone("closed the connection while it was being written to");
      const bool ready = co_await wait(boost::asio::posix::descriptor_base::wait_write, deadline);
      if (!ready) co_return gone("does not read what it is sent");
    }
    co_return Status();
  }

  Task<Result<std::size_t>> receive(std::span<char> into, Deadline deadline) override {
    for (;;) {
      const IoResult got = channel_->receive(into);
      if (got.state == IoState::done) co_return got.size;
      if (got.state == IoState::ended) co_return std::size_t{0};
      if (got.state != IoState::want_read) co_return gone("reset the connection");
      const bool ready = co_await wait(boost::asio::posix::descriptor_base::wait_read, deadline);
      if (!ready) co_return gone("did not answer in time");
    }
  }

  bool anything_sent() const override { return sent_; }

 private:
  [[nodiscard]] tl::unexpected<Error> gone(std::string_view what) const {
    return fail(ErrorCode::unavailable, peer_ + " " + std::string(what));
  }

  // A timer that goes off cancels the wait it was made for, and no other.
  [[nodiscard]] Task<bool> wait(boost::asio::posix::descriptor_base::wait_type direction, Deadline deadline) {
    if (std::chrono::steady_clock::now() >= deadline) co_return false;
    timer_.expires_at(deadline);
    timer_.async_wait([line = line_, number = ++line_->wait](const boost::system::error_code& error) {
      boost::system::error_code ignored;
      if (!error && line->wait == number) line->descriptor.cancel(ignored);
    });
    auto waited = co_await line_->descriptor.async_wait(direction, kToken);
    ++line_->wait;
    timer_.cancel();
    co_return !std::get<0>(waited);
  }

  const std::shared_ptr<Line> line_;
  boost::asio::steady_timer timer_;
  std::optional<SocketChannel> channel_;
  const std::string peer_;
  bool sent_ = false;
};

// The executor of the coroutine that asks.
Task<boost::asio::any_io_executor> own_executor() {
  auto initiation = [](auto handler) {
    boost::asio::any_io_executor executor = boost::asio::get_associated_executor(handler);
    boost::asio::post(executor, [handler = std::move(handler), executor]() mutable { std::move(handler)(executor); });
  };
  return boost::asio::async_initiate<const boost::asio::use_awaitable_t<>, void(boost::asio::any_io_executor)>(std::move(initiation),
                                                                                                               boost::asio::use_awaitable);
}

}  // namespace

Task<Result<std::unique_ptr<OutgoingConnection>>> OutgoingConnection::open(std::string address, std::uint16_t port, Deadline deadline) {
  const std::string peer = text_of(address, port);
  const auto target = parse_target(address, port);
  if (!target) co_return fail(ErrorCode::invalid, "'" + address + "' is not an IP address");
  const auto executor = co_await own_executor();
  auto connection = std::make_unique<Outgoing>(executor, peer);
  for (;;) {
    const int error = co_await connection->connect(*target, deadline);
    if (error == 0) co_return std::unique_ptr<OutgoingConnection>(std::move(connection));
    const Error failure{ErrorCode::unavailable, "cannot connect to " + peer + ": " + describe_errno(error), {}};
    if (error != ECONNREFUSED) co_return tl::make_unexpected(failure);
    const bool again = co_await connection->pause(kBetweenTries, deadline);
    if (!again) co_return tl::make_unexpected(failure);
  }
}

}  // namespace birthmark::net
