// SPDX-License-Identifier: Apache-2.0
// The epoll loop of the load generator; blocking sends, because a request is far smaller than a socket buffer.
#include "load_generator.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>

#include "base/file.h"

namespace birthmark::bench {
namespace {

using Clock = std::chrono::steady_clock;
constexpr int kSilenceMs = 30'000;  // without any answer: the server hangs

double thread_cpu_seconds() {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

tl::unexpected<Error> system_failure(std::string_view what) {
  return fail(ErrorCode::unavailable, std::string(what) + ": " + describe_errno(errno));
}

Result<FileDescriptor> connect_to(std::uint16_t port) {
  FileDescriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return system_failure("connect");
  const int on = 1;
  ::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return socket;
}

struct Peer {
  FileDescriptor socket;
  std::string received;
  Clock::time_point asked;
};

class Generator {
 public:
  Generator(std::span<const std::string> requests, int expected_status)
      : requests_(requests), expected_("HTTP/1.1 " + std::to_string(expected_status)) {
    result_.latencies_us.reserve(requests.size());
  }

  Result<LoadResult> run(std::uint16_t port, unsigned connections) {
    epoll_.reset(::epoll_create1(EPOLL_CLOEXEC));
    peers_.resize(std::min<std::size_t>(connections, requests_.size()));
    for (Peer& peer : peers_) BIRTHMARK_CHECK(open(peer, port));
    const auto begun = Clock::now();
    const double cpu_before = thread_cpu_seconds();
    for (Peer& peer : peers_) BIRTHMARK_CHECK(ask(peer));
    while (result_.answered < requests_.size()) BIRTHMARK_CHECK(serve_events());
    result_.seconds = std::chrono::duration<double>(Clock::now() - begun).count();
    result_.generator_cpu_seconds = thread_cpu_seconds() - cpu_before;
    std::sort(result_.latencies_us.begin(), result_.latencies_us.end());
    return std::move(result_);
  }

 private:
  Status open(Peer& peer, std::uint16_t port) {
    BIRTHMARK_TRY(peer.socket, connect_to(port));
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.ptr = &peer;
    if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, peer.socket.get(), &event) != 0) return system_failure("epoll_ctl");
    return {};
  }

  Status ask(Peer& peer) {
    if (next_ == requests_.size()) return {};
    const std::string& request = requests_[next_++];
    peer.asked = Clock::now();
    const ssize_t sent = ::send(peer.socket.get(), request.data(), request.size(), MSG_NOSIGNAL);  // far below a socket buffer
    if (sent != static_cast<ssize_t>(request.size())) return system_failure("send");
    return {};
  }

  Status serve_events() {
    std::array<epoll_event, 64> events;
    const int count = ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), kSilenceMs);
    if (count == 0) return fail(ErrorCode::unavailable, "the server has not answered for 30 s");
    if (count < 0 && errno != EINTR) return system_failure("epoll_wait");
    for (int i = 0; i < count; ++i) BIRTHMARK_CHECK(receive(*static_cast<Peer*>(events[static_cast<std::size_t>(i)].data.ptr)));
    return {};
  }

  Status receive(Peer& peer) {
    std::array<char, 16'384> buffer;
    const ssize_t got = ::recv(peer.socket.get(), buffer.data(), buffer.size(), 0);
    if (got < 0) return system_failure("recv");
    if (got == 0) return fail(ErrorCode::unavailable, "the server closed a connection");
    peer.received.append(buffer.data(), static_cast<std::size_t>(got));
    const std::size_t size = whole_answer(peer.received);
    if (size == 0) return {};
    if (!peer.received.starts_with(expected_)) return fail(ErrorCode::internal, "unexpected answer: " + peer.received);
    result_.latencies_us.push_back(std::chrono::duration<float, std::micro>(Clock::now() - peer.asked).count());
    ++result_.answered;
    peer.received.erase(0, size);
    return ask(peer);
  }

  std::span<const std::string> requests_;
  std::string expected_;
  FileDescriptor epoll_;
  std::vector<Peer> peers_;
  std::size_t next_ = 0;
  LoadResult result_;
};

}  // namespace

std::size_t whole_answer(std::string_view received) {
  constexpr std::string_view kLength = "Content-Length: ";
  const std::size_t head = received.find("\r\n\r\n");
  if (head == std::string_view::npos) return 0;
  const std::size_t at = received.substr(0, head).find(kLength);
  std::size_t length = 0;
  if (at != std::string_view::npos) std::from_chars(received.data() + at + kLength.size(), received.data() + head, length);
  const std::size_t size = head + 4 + length;
  return received.size() < size ? 0 : size;
}

double LoadResult::percentile_us(double fraction) const {
  if (latencies_us.empty()) return 0;
  const auto index = static_cast<std::size_t>(fraction * static_cast<double>(latencies_us.size() - 1));
  return static_cast<double>(latencies_us[index]);
}

Result<LoadResult> run_load(std::uint16_t port, unsigned connections, std::span<const std::string> requests, int expected_status) {
  return Generator(requests, expected_status).run(port, connections);
}

}  // namespace birthmark::bench
