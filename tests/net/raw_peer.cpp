// SPDX-License-Identifier: Apache-2.0
// Blocking socket calls behind poll deadlines.
#include "raw_peer.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <thread>

#include "base/text.h"

namespace birthmark::net_test {
namespace {

using Clock = std::chrono::steady_clock;

std::size_t content_length(std::string_view lower_head) {
  constexpr std::string_view kName = "\r\ncontent-length: ";
  const std::size_t at = lower_head.find(kName);
  std::size_t length = 0;
  if (at == std::string_view::npos) return 0;
  const char* begin = lower_head.data() + at + kName.size();
  std::from_chars(begin, lower_head.data() + lower_head.size(), length);
  return length;
}

}  // namespace

bool eventually(const std::function<bool()>& condition, std::chrono::milliseconds at_most) {
  const auto deadline = Clock::now() + at_most;
  while (!condition()) {
    if (Clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return true;
}

bool Answer::has(std::string_view header_line) const {
  return to_lower(head).find("\r\n" + to_lower(header_line) + "\r\n") != std::string::npos;
}

RawPeer::RawPeer(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) socket_.reset(-1);
  const int on = 1;
  ::setsockopt(socket_.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

bool RawPeer::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

RawPeer::More RawPeer::read_more(Clock::time_point deadline) {
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
  pollfd watched{.fd = socket_.get(), .events = POLLIN, .revents = 0};
  if (left <= 0 || ::poll(&watched, 1, static_cast<int>(left)) <= 0) return More::late;
  std::array<char, 65'536> buffer;
  const ssize_t got = ::recv(socket_.get(), buffer.data(), buffer.size(), 0);
  if (got < 0) return More::reset;
  if (got == 0) return More::ended;
  held_.append(buffer.data(), static_cast<std::size_t>(got));
  return More::some;
}

std::optional<Answer> RawPeer::receive(std::string_view method) {
  const auto deadline = Clock::now() + kPatience;
  std::size_t head_end = std::string::npos;
  while ((head_end = held_.find("\r\n\r\n")) == std::string::npos) {
    if (read_more(deadline) != More::some) return std::nullopt;
  }
  Answer answer;
  answer.head = held_.substr(0, head_end + 2);
  held_.erase(0, head_end + 4);
  if (answer.head.size() > 12) std::from_chars(answer.head.data() + 9, answer.head.data() + 12, answer.status);
  const std::size_t length = method == "HEAD" || answer.status < 200 ? 0 : content_length(to_lower(answer.head));
  while (held_.size() < length) {
    if (read_more(deadline) != More::some) return std::nullopt;
  }
  answer.body = held_.substr(0, length);
  held_.erase(0, length);
  return answer;
}

std::optional<Answer> RawPeer::ask(std::string_view request) {
  send(request);  // a server that refuses early answers although it did not read all
  return receive(request.substr(0, request.find(' ')));
}

Ending RawPeer::read_to_end(std::chrono::milliseconds at_most) {
  const auto deadline = Clock::now() + at_most;
  while (true) {
    switch (read_more(deadline)) {
      case More::some: continue;
      case More::ended: return Ending::orderly;
      case More::reset: return Ending::reset;
      case More::late: return Ending::none_yet;
    }
  }
}

void RawPeer::shutdown_write() {
  ::shutdown(socket_.get(), SHUT_WR);
}

void RawPeer::reset() {
  const linger now{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(socket_.get(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
  close();
}

}  // namespace birthmark::net_test
