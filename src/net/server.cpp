// SPDX-License-Identifier: Apache-2.0
// The Server: workers, listeners, the connection limit and the orderly end.
#include "net/server.h"

#include <sched.h>

#include <algorithm>
#include <atomic>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <condition_variable>
#include <mutex>
#include <vector>

#include "base/log.h"
#include "net/listener.h"
#include "net/worker.h"

namespace birthmark::net {
namespace {

constexpr std::size_t kRefusedAtOnce = 256;  // connections over the limit that are being told so; beyond them no answer
constexpr std::chrono::milliseconds kAbortTime{1'000};

unsigned usable_cores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (::sched_getaffinity(0, sizeof set, &set) != 0) return 1;
  return static_cast<unsigned>(std::max(1, CPU_COUNT(&set)));
}

// A handler that outlived shutdown_timeout may still be resumed by whoever holds its Resume; its worker must then still be there.
void keep_for_ever(std::shared_ptr<Worker> worker) {
  static auto* const kept = new std::vector<std::shared_ptr<Worker>>;
  static auto* const mutex = new std::mutex;
  const std::lock_guard lock(*mutex);
  kept->push_back(std::move(worker));
}

class AsioServer final : public Server {
 public:
  AsioServer(unsigned threads, const Limits& limits);
  ~AsioServer() override { stop(); }

  using Server::listen;
  [[nodiscard]] Result<Endpoint> listen(const Endpoint& endpoint, Handler& handler, ListenOptions options) override;
  [[nodiscard]] Status start() override;
  void stop() override;
  [[nodiscard]] ServerStatistics statistics() const override;

 private:
  // What a worker that is kept for ever still refers to.
  struct Shared {
    std::mutex mutex;
    std::condition_variable changed;
    std::atomic<std::size_t> open = 0;
    bool draining = false;  // under mutex: listeners are closed and every worker was told
  };

  void admit(FileDescriptor socket, PeerIdentity peer, const std::shared_ptr<const Service>& service);
  void begin_drain();
  bool wait_until_empty(std::chrono::milliseconds at_most);

  Limits limits_;
  std::shared_ptr<Shared> shared_ = std::make_shared<Shared>();
  std::mutex stop_mutex_;
  std::atomic<std::uint64_t> accepted_ = 0;
  std::size_t turn_ = 0;
  bool started_ = false;
  bool stopped_ = false;
  std::atomic<std::uint64_t> unanswered_ = 0;
  std::vector<std::shared_ptr<Worker>> workers_;      // never changed after the constructor
  std::vector<std::shared_ptr<Listener>> listeners_;  // used on the first worker's thread; after workers_, whose contexts they need
};

AsioServer::AsioServer(unsigned threads, const Limits& limits) : limits_(limits) {
  const auto on_closed = [shared = shared_] {
    if (shared->open.fetch_sub(1) != 1) return;
    const std::lock_guard lock(shared->mutex);
    shared->changed.notify_all();
  };
  for (unsigned i = 0; i < threads; ++i) workers_.push_back(std::make_shared<Worker>(limits, on_closed));
}

Result<Endpoint> AsioServer::listen(const Endpoint& endpoint, Handler& handler, ListenOptions options) {
  boost::asio::io_context& context = workers_.front()->context();
  if (options.body_bytes == 0) options.body_bytes = limits_.body_bytes;
  auto service = std::make_shared<const Service>(Service{handler, std::move(options)});
  auto admit_to_handler = [this, service = std::move(service)](FileDescriptor socket, PeerIdentity peer) {
    admit(std::move(socket), std::move(peer), service);
  };
  BIRTHMARK_TRY(std::shared_ptr<Listener> listener, Listener::open(endpoint, context, std::move(admit_to_handler)));
  const Endpoint local = listener->local();
  boost::asio::post(context, [this, listener, &context] {
    listeners_.push_back(listener);
    boost::asio::co_spawn(context, Listener::run(listener), boost::asio::detached);
  });
  return local;
}

Status AsioServer::start() {
  for (const auto& worker : workers_) BIRTHMARK_CHECK(worker->start());
  started_ = true;
  return {};
}

// On the first worker's thread.
void AsioServer::admit(FileDescriptor socket, PeerIdentity peer, const std::shared_ptr<const Service>& service) {
  accepted_.store(accepted_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  const std::size_t open = shared_->open.load();
  if (open >= limits_.connections + kRefusedAtOnce) {
    unanswered_.store(unanswered_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    return;
  }
  shared_->open.fetch_add(1);
  std::size_t chosen = ++turn_ % workers_.size();  // among equals each has its turn
  for (std::size_t i = 0; i < workers_.size(); ++i) {
    if (workers_[i]->load() < workers_[chosen]->load()) chosen = i;
  }
  const Admission admission = open >= limits_.connections ? Admission::refused : Admission::served;
  workers_[chosen]->adopt(std::move(socket), std::move(peer), service, admission);
}

// On the first worker's thread, so that every connection accepted before is adopted before its worker is told.
void AsioServer::begin_drain() {
  for (const auto& listener : listeners_) listener->close();
  listeners_.clear();
  for (const auto& worker : workers_) worker->drain();
  const std::lock_guard lock(shared_->mutex);
  shared_->draining = true;
  shared_->changed.notify_all();
}

bool AsioServer::wait_until_empty(std::chrono::milliseconds at_most) {
  std::unique_lock lock(shared_->mutex);
  return shared_->changed.wait_for(lock, at_most, [this] { return shared_->draining && shared_->open.load() == 0; });
}

void AsioServer::stop() {
  const std::lock_guard once(stop_mutex_);
  if (stopped_) return;
  stopped_ = true;
  if (started_) {
    boost::asio::post(workers_.front()->context(), [this] { begin_drain(); });
    if (!wait_until_empty(limits_.shutdown_timeout)) {
      log::warning("connections were cut off at shutdown", {{"open", std::to_string(shared_->open.load())}});
      for (const auto& worker : workers_) worker->abort_connections();
      static_cast<void>(wait_until_empty(kAbortTime));
    }
  }
  for (const auto& worker : workers_) worker->finish();
  for (const auto& worker : workers_) {
    if (started_ && worker->load() != 0) keep_for_ever(worker);
  }
}

ServerStatistics AsioServer::statistics() const {
  ServerStatistics sum;
  sum.connections_accepted = accepted_.load(std::memory_order_relaxed);
  sum.connections_open = shared_->open.load();
  sum.refused_malformed = unanswered_.load(std::memory_order_relaxed);
  for (const auto& worker : workers_) {
    sum.requests += worker->requests();
    sum.refused_malformed += worker->refused();
  }
  return sum;
}

}  // namespace

Result<std::unique_ptr<Server>> Server::create(unsigned threads, Limits limits) {
  if (limits.header_bytes < 256 || limits.header_bytes > (16U << 20U)) {
    return fail(ErrorCode::invalid, "the header limit must be between 256 bytes and 16 MiB");
  }
  if (limits.connections == 0) return fail(ErrorCode::invalid, "the connection limit must be at least 1");
  const unsigned count = threads == 0 ? usable_cores() : threads;
  try {
    return std::make_unique<AsioServer>(count, limits);
  } catch (const std::exception& error) {
    return fail(ErrorCode::unavailable, "the network threads cannot be prepared", error.what());
  }
}

}  // namespace birthmark::net
