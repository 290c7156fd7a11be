// SPDX-License-Identifier: Apache-2.0
// The life of a network thread and the things its connections share.
#include "net/worker.h"

#include <pthread.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <chrono>
#include <csignal>
#include <exception>
#include <system_error>

#include "base/log.h"
#include "net/connection.h"
#include "net/response_writer.h"

namespace birthmark::net {
namespace {

constexpr std::size_t kScratchBytes = 16U << 10U;
constexpr std::size_t kSpareExchanges = 128;
constexpr std::size_t kSpareBytes = 64U << 10U;  // a larger one is not kept
constexpr std::chrono::milliseconds kSweepEvery{250};

// Signals are main's business.
class AllSignalsBlocked {
 public:
  AllSignalsBlocked() {
    sigset_t all;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~AllSignalsBlocked() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  AllSignalsBlocked(const AllSignalsBlocked&) = delete;
  AllSignalsBlocked& operator=(const AllSignalsBlocked&) = delete;

 private:
  sigset_t before_{};
};

}  // namespace

std::int64_t steady_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now().time_since_epoch()).count() + 1;
}

Worker::Worker(const Limits& limits, std::function<void()> on_closed)
    : limits_(limits),
      on_closed_(std::move(on_closed)),
      scratch_(kScratchBytes),
      date_(format_http_date(std::time(nullptr))),
      sweeper_(context_),
      guard_(context_.get_executor()) {
  sweep();
}

Worker::~Worker() {
  finish();
}

Status Worker::start() {
  const AllSignalsBlocked blocked;
  try {
    thread_ = std::thread([this] { run(); });
  } catch (const std::system_error& error) {
    return fail(ErrorCode::unavailable, "a network thread cannot be started", error.what());
  }
  return {};
}

void Worker::run() {
  while (!context_.stopped()) {
    try {
      context_.run();
    } catch (const std::exception& error) {
      log::error("network thread caught an exception", {{"what", error.what()}});
    }
  }
}

void Worker::finish() {
  context_.stop();
  if (thread_.joinable()) thread_.join();
}

void Worker::adopt(FileDescriptor socket, PeerIdentity peer, std::shared_ptr<const Service> service, Admission admission) {
  load_.fetch_add(1, std::memory_order_relaxed);
  boost::asio::post(context_, [this, socket = std::move(socket), peer = std::move(peer), service = std::move(service),
                               admission]() mutable { serve(std::move(socket), std::move(peer), std::move(service), admission); });
}

void Worker::serve(FileDescriptor socket, PeerIdentity peer, std::shared_ptr<const Service> service, Admission admission) {
  std::unique_ptr<Connection> connection = Connection::create(*this, std::move(service), std::move(socket), std::move(peer), admission);
  if (!connection) {
    load_.fetch_sub(1, std::memory_order_relaxed);
    on_closed_();
    return;
  }
  boost::asio::co_spawn(context_, Connection::run(std::move(connection)), boost::asio::detached);
}

std::size_t Worker::enlist(Connection& connection) {
  connections_.push_back(&connection);
  return connections_.size() - 1;
}

void Worker::delist(std::size_t position) {
  connections_[position] = connections_.back();
  connections_[position]->moved_to(position);
  connections_.pop_back();
  load_.fetch_sub(1, std::memory_order_relaxed);
  on_closed_();
}

void Worker::drain() {
  boost::asio::post(context_, [this] {
    draining_ = true;
    for (Connection* connection : connections_) connection->drain();
  });
}

void Worker::abort_connections() {
  boost::asio::post(context_, [this] {
    for (Connection* connection : connections_) connection->abort();
  });
}

std::unique_ptr<Exchange> Worker::take_exchange(std::size_t body_limit) {
  if (spare_.empty()) return std::make_unique<Exchange>(limits_.header_bytes, body_limit);
  auto exchange = std::move(spare_.back());
  spare_.pop_back();
  exchange->reader.set_body_limit(body_limit);
  return exchange;
}

void Worker::give_back(std::unique_ptr<Exchange> exchange) {
  if (spare_.size() >= kSpareExchanges || exchange->reader.capacity() + exchange->out.capacity() > kSpareBytes) return;
  exchange->reader.clear();
  exchange->out.clear();
  spare_.push_back(std::move(exchange));
}

void Worker::sweep() {
  const std::time_t second = std::time(nullptr);
  if (second != date_second_) date_ = format_http_date(second);
  date_second_ = second;
  const std::int64_t now = steady_ms();
  for (Connection* connection : connections_) connection->sweep(now);
  sweeper_.expires_after(kSweepEvery);
  sweeper_.async_wait([this](const boost::system::error_code& error) {
    if (!error) sweep();
  });
}

}  // namespace birthmark::net
