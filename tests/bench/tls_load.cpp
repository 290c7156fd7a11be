// SPDX-License-Identifier: Apache-2.0
// The generator pays for its half of every handshake on the same cores as the server, so it leaves out what a measurement does not need: it
// does not check the server's certificate.
#include "tls_load.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <optional>
#include <vector>

#include "base/file.h"

namespace birthmark::bench {
namespace {

using Clock = std::chrono::steady_clock;
constexpr int kSilenceMs = 30'000;  // without any event: the server hangs
constexpr std::size_t kAnswerBytes = 16'384;

using ContextHandle = std::unique_ptr<SSL_CTX, crypto::Freer<SSL_CTX_free>>;
using SslHandle = std::unique_ptr<SSL, crypto::Freer<SSL_free>>;
using SessionHandle = std::unique_ptr<SSL_SESSION, crypto::Freer<SSL_SESSION_free>>;

tl::unexpected<Error> system_failure(std::string_view what) {
  return fail(ErrorCode::unavailable, std::string(what) + ": " + describe_errno(errno));
}

double thread_cpu_seconds() {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

enum class Stage : std::uint8_t { idle, handshake, answer, ending, resting };

struct Peer {
  FileDescriptor socket;
  SslHandle ssl;
  std::size_t device = 0;
  Stage stage = Stage::idle;
  std::string received;
  Clock::time_point begun;
};

class Generator final : public TlsLoad {
 public:
  explicit Generator(std::span<const FleetDevice> devices) : devices_(devices), sessions_(devices.size()) {}

  Status prepare() {
    context_.reset(SSL_CTX_new(TLS_client_method()));
    epoll_.reset(::epoll_create1(EPOLL_CLOEXEC));
    if (!context_ || !epoll_.valid()) return fail(ErrorCode::unavailable, "no TLS context or no epoll");
    SSL_CTX_set_min_proto_version(context_.get(), TLS1_3_VERSION);
    SSL_CTX_set_mode(context_.get(), SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_cert_verify_callback(context_.get(), [](X509_STORE_CTX*, void*) { return 1; }, nullptr);
    SSL_CTX_set_session_cache_mode(context_.get(), SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(context_.get(), keep_session);
    return {};
  }

  Result<LoadResult> visit(const VisitPlan& plan) override {
    visits_ = plan;
    request_ = plan.request;
    expected_ = plan.expected;
    staying_ = false;
    wanted_ = plan.visits;
    restart(std::min<std::size_t>(plan.connections, plan.visits));
    while (true) {
      BIRTHMARK_CHECK(begin_what_is_due());  // which may be their end too, when the server is fast
      // All ended in order, so that their sessions can be resumed (SSL_CTX_remove_session(3)).
      if (asked_ == wanted_ && free_.size() == peers_.size()) break;
      BIRTHMARK_CHECK(serve_events(pause_ms()));
    }
    finish();
    return std::move(result_);
  }

  Result<LoadResult> keep_alive(const KeepAlivePlan& plan, const std::function<void()>& starting) override {
    BIRTHMARK_CHECK(open_all(plan));
    starting();
    wanted_ = plan.requests;
    result_ = {};
    begun_ = Clock::now();
    cpu_begun_ = thread_cpu_seconds();
    asked_ = 0;
    for (Peer& peer : peers_) BIRTHMARK_CHECK(ask(peer));
    while (result_.answered < wanted_) BIRTHMARK_CHECK(serve_events(kSilenceMs));
    finish();
    release();
    return std::move(result_);
  }

  Status hold(const KeepAlivePlan& plan) override { return open_all(plan); }

  void release() override { peers_.clear(); }

 private:
  static int keep_session(SSL* ssl, SSL_SESSION* session) {
    static_cast<SessionHandle*>(SSL_get_app_data(ssl))->reset(session);
    return 1;
  }

  void restart(std::size_t peers) {
    peers_.clear();
    peers_.resize(peers);
    free_.clear();
    for (Peer& peer : peers_) free_.push_back(&peer);
    result_ = {};
    asked_ = 0;
    begun_ = Clock::now();
    cpu_begun_ = thread_cpu_seconds();
  }

  void finish() {
    result_.seconds = std::chrono::duration<double>(Clock::now() - begun_).count();
    result_.generator_cpu_seconds = thread_cpu_seconds() - cpu_begun_;
    std::sort(result_.latencies_us.begin(), result_.latencies_us.end());
  }

  // Not all at once: more than a listener's backlog would lose their SYN and wait a second.
  Status open_all(const KeepAlivePlan& plan) {
    constexpr std::size_t kOpeningAtOnce = 64;
    visits_ = {};
    visits_.port = plan.port;
    request_ = plan.request;
    expected_ = plan.expected;
    staying_ = true;
    wanted_ = 0;
    restart(plan.connections);
    std::size_t opened = 0;
    while (result_.answered < peers_.size()) {
      for (; opened < peers_.size() && opened - result_.answered < kOpeningAtOnce; ++opened)
        BIRTHMARK_CHECK(begin(peers_[opened], Clock::now()));
      if (result_.answered < opened) BIRTHMARK_CHECK(serve_events(kSilenceMs));
    }
    return {};
  }

  [[nodiscard]] Clock::time_point due(std::size_t visit) const {
    return begun_ + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(static_cast<double>(visit) / visits_.rate));
  }

  Status begin_what_is_due() {
    while (!free_.empty() && asked_ < wanted_) {
      const auto now = Clock::now();
      const auto when = visits_.rate > 0 ? due(asked_) : now;
      if (when > now) return {};
      Peer& peer = *free_.back();
      free_.pop_back();
      ++asked_;
      BIRTHMARK_CHECK(begin(peer, when));
    }
    return {};
  }

  // Until the next visit is due.
  [[nodiscard]] int pause_ms() const {
    if (visits_.rate <= 0 || free_.empty() || asked_ == wanted_) return kSilenceMs;
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(due(asked_) - Clock::now()).count();
    return static_cast<int>(std::clamp<std::int64_t>(left, 0, 1'000));
  }

  Status begin(Peer& peer, Clock::time_point when) {
    peer.device = next_device_++ % devices_.size();
    peer.begun = when;
    peer.stage = Stage::handshake;
    peer.received.clear();
    BIRTHMARK_CHECK(connect(peer));
    const FleetDevice& device = devices_[peer.device];
    peer.ssl.reset(SSL_new(context_.get()));
    SSL* ssl = peer.ssl.get();
    SessionHandle& session = sessions_[peer.device];
    const bool good = ssl != nullptr && SSL_set_fd(ssl, peer.socket.get()) == 1 &&
                      SSL_use_certificate(ssl, device.certificate.get()) == 1 && SSL_use_PrivateKey(ssl, device.key.get()) == 1 &&
                      (!visits_.resume || (session && SSL_set_session(ssl, session.get()) == 1));
    if (!good) return crypto::openssl_failure(ErrorCode::internal, "a TLS client cannot be prepared");
    SSL_set_app_data(ssl, &session);
    SSL_set_connect_state(ssl);
    return advance(peer);
  }

  Status connect(Peer& peer) {
    peer.socket = FileDescriptor(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(visits_.port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int on = 1;
    ::setsockopt(peer.socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    const auto* where = reinterpret_cast<const sockaddr*>(&address);
    if (::connect(peer.socket.get(), where, sizeof address) != 0 && errno != EINPROGRESS) return system_failure("connect");
    epoll_event event{};
    event.events = EPOLLIN | EPOLLOUT | EPOLLET;
    event.data.ptr = &peer;
    if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, peer.socket.get(), &event) != 0) return system_failure("epoll_ctl");
    return {};
  }

  Status serve_events(int timeout_ms) {
    std::array<epoll_event, 64> events;
    const int count = ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), timeout_ms);
    if (count == 0 && timeout_ms == kSilenceMs) return silence();
    if (count < 0 && errno != EINTR) return system_failure("epoll_wait");
    for (int i = 0; i < count; ++i) BIRTHMARK_CHECK(advance(*static_cast<Peer*>(events[static_cast<std::size_t>(i)].data.ptr)));
    return {};
  }

  [[nodiscard]] Status silence() const {
    std::string stages;
    for (const Peer& peer : peers_) stages += std::to_string(static_cast<int>(peer.stage));
    return fail(ErrorCode::unavailable, "the server has not answered for 30 s",
                std::to_string(result_.answered) + " of " + std::to_string(asked_) + " begun and " + std::to_string(wanted_) +
                    " wanted; connections in their stages: " + stages);
  }

  Status advance(Peer& peer) {
    ERR_clear_error();
    if (peer.stage == Stage::handshake) {
      const int result = SSL_do_handshake(peer.ssl.get());
      if (result != 1) return blocked(peer, result);
      BIRTHMARK_CHECK(handshake_done(peer));
    }
    while (peer.stage == Stage::answer || peer.stage == Stage::ending || peer.stage == Stage::resting) {
      std::array<char, kAnswerBytes> buffer;
      const int got = SSL_read(peer.ssl.get(), buffer.data(), static_cast<int>(buffer.size()));
      if (got <= 0) return blocked(peer, got);
      peer.received.append(buffer.data(), static_cast<std::size_t>(got));
      BIRTHMARK_CHECK(take_answers(peer));
    }
    return {};
  }

  Status handshake_done(Peer& peer) {
    if (visits_.resume && SSL_session_reused(peer.ssl.get()) == 0) return fail(ErrorCode::conflict, "the session was not resumed");
    if (!request_.empty()) return send_request(peer);
    SSL_shutdown(peer.ssl.get());  // and the server's own close tells that it was content with the certificate
    peer.stage = Stage::ending;
    return {};
  }

  Status send_request(Peer& peer) {
    const int sent = SSL_write(peer.ssl.get(), request_.data(), static_cast<int>(request_.size()));
    if (sent != static_cast<int>(request_.size())) return crypto::openssl_failure(ErrorCode::unavailable, "SSL_write");
    peer.stage = Stage::answer;
    return {};
  }

  Status take_answers(Peer& peer) {
    for (std::size_t size = whole_answer(peer.received); size != 0; size = whole_answer(peer.received)) {
      if (!peer.received.starts_with(expected_)) return fail(ErrorCode::internal, "unexpected answer: " + peer.received);
      peer.received.erase(0, size);
      count(peer);
      peer.stage = staying_ ? Stage::resting : Stage::ending;
      if (staying_ && wanted_ > 0) BIRTHMARK_CHECK(ask(peer));
    }
    return {};
  }

  Status ask(Peer& peer) {
    if (asked_ == wanted_) return {};
    ++asked_;
    peer.begun = Clock::now();
    return send_request(peer);
  }

  void count(const Peer& peer) {
    ++result_.answered;
    result_.latencies_us.push_back(std::chrono::duration<float, std::micro>(Clock::now() - peer.begun).count());
  }

  // Waiting, the orderly end of a visit, or a failure.
  Status blocked(Peer& peer, int result) {
    const int reason = SSL_get_error(peer.ssl.get(), result);
    if (reason == SSL_ERROR_WANT_READ || reason == SSL_ERROR_WANT_WRITE) return {};
    const bool ended = reason == SSL_ERROR_ZERO_RETURN || (reason == SSL_ERROR_SYSCALL && ERR_peek_error() == 0);
    if (!ended || peer.stage != Stage::ending)
      return crypto::openssl_failure(ErrorCode::unavailable,
                                     "the server ended a connection in its stage " + std::to_string(static_cast<int>(peer.stage)));
    if (request_.empty()) count(peer);
    SSL_shutdown(peer.ssl.get());
    peer.ssl.reset();
    peer.socket.reset(-1);
    peer.stage = Stage::idle;
    free_.push_back(&peer);
    return {};
  }

  std::span<const FleetDevice> devices_;
  std::vector<SessionHandle> sessions_;  // of each device
  ContextHandle context_;
  FileDescriptor epoll_;
  std::vector<Peer> peers_;
  std::vector<Peer*> free_;
  VisitPlan visits_;
  std::string request_;
  std::string expected_;
  bool staying_ = false;
  std::size_t wanted_ = 0;
  std::size_t asked_ = 0;
  std::size_t next_device_ = 0;
  Clock::time_point begun_;
  double cpu_begun_ = 0;
  LoadResult result_;
};

}  // namespace

Result<std::unique_ptr<TlsLoad>> TlsLoad::create(std::span<const FleetDevice> devices) {
  auto load = std::make_unique<Generator>(devices);
  BIRTHMARK_CHECK(load->prepare());
  return std::unique_ptr<TlsLoad>(std::move(load));
}

}  // namespace birthmark::bench
