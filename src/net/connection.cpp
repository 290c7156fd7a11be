// SPDX-License-Identifier: Apache-2.0
// The connection loop. Phases: reading -> handling -> writing -> reading ..., and at the end lingering: our side is shut down and the
// peer is listened to for a moment, so that it reads our last answer instead of a reset (RFC 9112 9.6).
#include "net/connection.h"

#include <fcntl.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <exception>

#include "base/log.h"
#include "net/ascii.h"
#include "net/request_id.h"
#include "net/response_writer.h"
#include "net/tls_server.h"

namespace birthmark::net {
namespace {

constexpr auto kToken = boost::asio::as_tuple(boost::asio::use_awaitable);
constexpr auto kReadable = boost::asio::posix::descriptor_base::wait_read;
constexpr auto kWritable = boost::asio::posix::descriptor_base::wait_write;

constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
constexpr std::chrono::milliseconds kLingerTime{1'000};
constexpr std::size_t kLingerBytes = 256U << 10U;
constexpr std::chrono::milliseconds kUnfinishedGrace{2'000};  // at shutdown, for a request that has only begun to arrive
constexpr std::size_t kUndeliveredLimit = 64;

std::unique_ptr<Channel> open_channel(int socket, const Service& service, const PeerIdentity& peer) {
  if (!service.options.tls) return std::make_unique<SocketChannel>(socket);
  auto channel = service.options.tls->open(socket, peer);
  if (!channel) log::error("a TLS connection cannot be prepared", {{"peer", peer.address}});
  return channel;
}

// A handler that is done with a peer says so as HTTP does.
bool ends_connection(const Response& response) {
  return std::any_of(response.headers.begin(), response.headers.end(), [](const auto& field) {
    return equal_ignoring_case(field.first, "connection") && equal_ignoring_case(field.second, "close");
  });
}

}  // namespace

std::unique_ptr<Connection> Connection::create(Worker& worker, std::shared_ptr<const Service> service, FileDescriptor socket,
                                               PeerIdentity peer, Admission admission) {
  Descriptor descriptor(worker.context().get_executor());
  boost::system::error_code error;
  descriptor.assign(socket.get(), error);
  if (error) {
    log::error("a connection cannot be watched", {{"reason", error.message()}});
    return nullptr;
  }
  socket.release();
  auto channel = open_channel(descriptor.native_handle(), *service, peer);
  if (!channel) return nullptr;
  std::unique_ptr<Connection> connection(
      new Connection(worker, std::move(service), std::move(descriptor), std::move(channel), std::move(peer)));
  if (admission == Admission::refused) connection->refuse(503, "too many connections; try again later");
  return connection;
}

Connection::Connection(Worker& worker, std::shared_ptr<const Service> service, Descriptor descriptor, std::unique_ptr<Channel> channel,
                       PeerIdentity peer)
    : worker_(worker),
      service_(std::move(service)),
      descriptor_(std::move(descriptor)),
      channel_(std::move(channel)),
      peer_(std::move(peer)) {
  position_ = worker_.enlist(*this);
  arm(worker_.limits().header_timeout);  // a peer that connects and stays silent is not kept as long as one that has asked before
}

Connection::~Connection() {
  worker_.delist(position_);
}

Task<void> Connection::run(std::unique_ptr<Connection> self) {
  for (Want want = self->advance(); want != Want::nothing; want = self->advance()) {
    if (want == Want::handler) {
      auto response = co_await self->ask_handler();
      self->answer(std::move(response));
      continue;
    }
    if (want == Want::answer) {
      co_await self->wait_for_answer();
      continue;
    }
    const auto direction = want == Want::readable ? kReadable : kWritable;
    // A wait that ends because of data does not forgive a deadline that passed in the same moment: whoever sends an octet now and then, and
    // never a whole handshake, would lose his deadline with it. Only received or sent data does.
    auto waited = co_await self->descriptor_.async_wait(direction, kToken);
    static_cast<void>(waited);
  }
}

Connection::Want Connection::wait(IoState state) const {
  if (state == IoState::want_answer) return Want::answer;
  return state == IoState::want_write ? Want::writable : Want::readable;
}

// Whatever the connection's own deadline: what works for it holds parts of it, and always answers.
Task<void> Connection::wait_for_answer() {
  Descriptor answer(worker_.context().get_executor());
  boost::system::error_code error;
  const int copy = ::fcntl(channel_->answer_descriptor(), F_DUPFD_CLOEXEC, 0);
  if (copy >= 0) answer.assign(copy, error);
  if (copy < 0 || error) {
    log::error("an answer cannot be waited for", {{"reason", copy < 0 ? "no descriptor" : error.message()}});
    aborted_ = true;
    co_return;
  }
  co_await answer.async_wait(kReadable, kToken);
}

Connection::Want Connection::advance() {
  while (true) {
    if (aborted_) return Want::nothing;
    Want want = Want::nothing;
    switch (phase_) {
      case Phase::reading: want = read(); break;
      case Phase::handling: want = Want::handler; break;
      case Phase::writing: want = write(); break;
      case Phase::lingering: want = linger(); break;
      case Phase::closed: return Want::nothing;
    }
    if (want != Want::again) return want;
  }
}

// --- reading -----------------------------------------------------------------------------------------------------------------------

Connection::Want Connection::read() {
  const IoResult got = channel_->receive(worker_.scratch());
  switch (got.state) {
    case IoState::want_read:
    case IoState::want_write: return timed_out_ || worker_.draining() ? wait_for_more() : wait(got.state);
    case IoState::want_answer: return Want::answer;
    case IoState::done: break;
    case IoState::ended: settle_deliveries(); [[fallthrough]];
    case IoState::broken: phase_ = Phase::closed; return Want::again;
    case IoState::rejected: close_orderly(); return Want::again;
  }
  timed_out_ = false;
  settle_deliveries();
  if (!exchange_) exchange_ = worker_.take_exchange(service_->options.body_bytes);
  const ReadProgress progress = exchange_->reader.feed({worker_.scratch().data(), got.size});
  return take_progress(progress);
}

// Nothing has come and its time is over, or the server is stopping.
Connection::Want Connection::wait_for_more() {
  if (!exchange_) {
    close_idle();
  } else if (timed_out_) {
    refuse(408, "the request took too long to arrive");
  } else {
    return Want::readable;
  }
  return Want::again;
}

Connection::Want Connection::take_progress(ReadProgress progress) {
  RequestReader& reader = exchange_->reader;
  if (progress == ReadProgress::complete) {
    disarm();
    started_ms_ = 0;
    phase_ = Phase::handling;
    return Want::handler;
  }
  if (progress == ReadProgress::refused) {
    refuse(reader.refusal().status, reader.refusal().message);
    return Want::again;
  }
  phase_ = Phase::reading;
  if (reader.empty()) {
    become_idle();
    return worker_.draining() ? Want::again : Want::readable;
  }
  arm_for_unfinished();
  if (!reader.take_continue()) return Want::readable;
  exchange_->out = kContinue;
  afterwards_ = Afterwards::rest_of_request;
  phase_ = Phase::writing;
  return Want::again;
}

void Connection::arm_for_unfinished() {
  if (started_ms_ == 0) started_ms_ = steady_ms();
  const auto timeout = exchange_->reader.header_done() ? worker_.limits().request_timeout : worker_.limits().header_timeout;
  deadline_ms_ = started_ms_ + timeout.count();
  if (worker_.draining()) deadline_ms_ = std::min(deadline_ms_, steady_ms() + kUnfinishedGrace.count());
}

void Connection::become_idle() {
  release_exchange();
  arm(worker_.limits().idle_timeout);
}

void Connection::close_idle() {
  if (undelivered_.empty()) {
    phase_ = Phase::closed;
  } else {
    close_orderly();
  }
}

void Connection::release_exchange() {
  if (exchange_) worker_.give_back(std::move(exchange_));
}

// --- handling ----------------------------------------------------------------------------------------------------------------------

Task<Response> Connection::ask_handler() {
  Request& request = exchange_->reader.request();
  channel_->describe(peer_);
  request.peer = peer_;
  request.id = request_id(request.header("X-Request-Id"));
  try {
    co_return co_await service_->handler.handle(request);
  } catch (const std::exception& error) {
    log::error("a request handler failed", {{"request", request.id}, {"path", std::string(request.path)}, {"what", error.what()}});
  } catch (...) {
    log::error("a request handler failed", {{"request", request.id}, {"path", std::string(request.path)}});
  }
  co_return json_error(500, "internal error");
}

void Connection::answer(Response response) {
  const RequestReader& reader = exchange_->reader;
  if (!is_writable(response)) {
    log::error("a response cannot be written", {{"path", std::string(exchange_->reader.request().path)}});
    response = json_error(500, "internal error");
  }
  worker_.count_request();
  const bool keep = reader.keep_alive() && !worker_.draining() && !ends_connection(response);
  const Persistence persistence = !keep ? Persistence::close : reader.http_1_0() ? Persistence::keep_and_tell : Persistence::keep;
  exchange_->out.clear();
  write_response(exchange_->out, response, persistence, reader.is_head() ? BodyUse::omit : BodyUse::send, worker_.date(),
                 exchange_->reader.request().id);
  on_delivered_ = std::move(response.on_delivered);
  afterwards_ = keep ? Afterwards::next_request : Afterwards::close;
  phase_ = Phase::writing;
}

// The engine's own answer; the connection ends with it.
void Connection::refuse(int status, std::string_view message) {
  worker_.count_refused();
  if (!exchange_) exchange_ = worker_.take_exchange(service_->options.body_bytes);
  exchange_->out.clear();
  write_response(exchange_->out, json_error(status, message), Persistence::close, BodyUse::send, worker_.date());
  afterwards_ = Afterwards::close;
  timed_out_ = false;
  phase_ = Phase::writing;
}

// --- writing -----------------------------------------------------------------------------------------------------------------------

Connection::Want Connection::write() {
  const std::string_view out = exchange_->out;
  while (written_ < out.size()) {
    const IoResult sent = channel_->send(out.substr(written_));
    if (sent.state == IoState::done) {
      written_ += sent.size;
      timed_out_ = false;
      continue;
    }
    if (sent.state == IoState::want_answer) return Want::answer;
    const bool blocked = sent.state == IoState::want_write || sent.state == IoState::want_read;
    if (!blocked || timed_out_) {
      phase_ = Phase::closed;
      return Want::again;
    }
    arm(worker_.limits().write_timeout);
    return wait(sent.state);
  }
  return written();
}

Connection::Want Connection::written() {
  disarm();
  written_ = 0;
  if (on_delivered_) {
    if (undelivered_.size() == kUndeliveredLimit) undelivered_.erase(undelivered_.begin());
    undelivered_.push_back(std::move(on_delivered_));
    on_delivered_ = nullptr;
  }
  switch (afterwards_) {
    case Afterwards::next_request: return take_progress(exchange_->reader.next());
    case Afterwards::rest_of_request:
      arm_for_unfinished();
      phase_ = Phase::reading;
      return Want::readable;
    case Afterwards::close: close_orderly(); break;
  }
  return Want::again;
}

// --- the end -----------------------------------------------------------------------------------------------------------------------

void Connection::close_orderly() {
  release_exchange();
  channel_->close_write();
  timed_out_ = false;
  arm(kLingerTime);
  phase_ = Phase::lingering;
}

Connection::Want Connection::linger() {
  while (true) {
    const IoResult got = channel_->receive(worker_.scratch());
    if (got.state == IoState::want_answer) return Want::answer;
    if (got.state == IoState::want_read || got.state == IoState::want_write) {
      if (!timed_out_) return wait(got.state);
      break;
    }
    if (got.state == IoState::ended) settle_deliveries();
    if (got.state != IoState::done) break;
    lingered_ += got.size;
    if (lingered_ > kLingerBytes) break;
  }
  phase_ = Phase::closed;
  return Want::again;
}

// At a sign of life (data or an orderly end): answers that the peer's TCP has acknowledged have arrived. While nobody asked, no system
// call is spent.
void Connection::settle_deliveries() {
  if (undelivered_.empty() || !channel_->everything_acknowledged()) return;
  for (const auto& delivered : undelivered_) {
    try {
      delivered();
    } catch (const std::exception& error) {
      log::error("a delivery report failed", {{"what", error.what()}});
    }
  }
  undelivered_.clear();
}

void Connection::sweep(std::int64_t now_ms) {
  if (deadline_ms_ == 0 || now_ms < deadline_ms_) return;
  disarm();
  timed_out_ = true;
  boost::system::error_code ignored;
  descriptor_.cancel(ignored);
}

void Connection::drain() {
  if (phase_ != Phase::reading) return;
  if (exchange_) {
    arm_for_unfinished();
    return;
  }
  boost::system::error_code ignored;
  descriptor_.cancel(ignored);
}

void Connection::abort() {
  aborted_ = true;
  boost::system::error_code ignored;
  descriptor_.cancel(ignored);
}

}  // namespace birthmark::net
