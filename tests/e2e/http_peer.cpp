// SPDX-License-Identifier: Apache-2.0
#include "http_peer.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <boost/json.hpp>
#include <charconv>

#include "base/text.h"

namespace birthmark::e2e {
namespace {

std::string trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t");
  return begin == std::string_view::npos ? std::string() : std::string(text.substr(begin, text.find_last_not_of(" \t") + 1 - begin));
}

// "HTTP/1.1 201 Created" and its header lines, each ended by CR LF. Nothing when they are not that.
std::optional<Answer> parse_head(std::string_view head) {
  Answer answer;
  if (!head.starts_with("HTTP/1.1 ") || head.size() < 13) return std::nullopt;
  if (std::from_chars(head.data() + 9, head.data() + 12, answer.status).ec != std::errc()) return std::nullopt;
  head.remove_prefix(std::min(head.find("\r\n") + 2, head.size()));
  while (!head.empty()) {
    const std::size_t end = head.find("\r\n");
    const std::size_t colon = head.find(':');
    if (end == std::string_view::npos || colon > end) return std::nullopt;
    const auto [at, fresh] = answer.headers.emplace(to_lower(head.substr(0, colon)), trimmed(head.substr(colon + 1, end - colon - 1)));
    if (!fresh) return std::nullopt;
    head.remove_prefix(end + 2);
  }
  return answer;
}

FileDescriptor connect_to(std::uint16_t port) {
  FileDescriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) socket.reset(-1);
  return socket;
}

}  // namespace

std::string Answer::header(const std::string& name) const {
  const auto found = headers.find(name);
  return found == headers.end() ? std::string() : found->second;
}

std::string Answer::member(std::string_view name) const {
  boost::system::error_code failure;
  const boost::json::value value = boost::json::parse(body, failure);
  const auto* found = !failure && value.is_object() ? value.get_object().if_contains(name) : nullptr;
  return found != nullptr && found->is_string() ? std::string(found->get_string()) : std::string();
}

HttpPeer::HttpPeer(std::uint16_t port) : socket_(connect_to(port)) {}

bool HttpPeer::send(std::string_view octets) {
  while (!octets.empty()) {
    const ssize_t sent = ::send(socket_.get(), octets.data(), octets.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    octets.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

bool HttpPeer::read_more(milliseconds at_most) {
  pollfd waiting{socket_.get(), POLLIN, 0};
  if (::poll(&waiting, 1, static_cast<int>(at_most.count())) != 1) return false;
  std::array<char, 16384> buffer;
  const ssize_t got = ::recv(socket_.get(), buffer.data(), buffer.size(), 0);
  if (got > 0) unread_.append(buffer.data(), static_cast<std::size_t>(got));
  return got > 0;
}

std::optional<Answer> HttpPeer::receive(bool to_head) {
  std::size_t end = std::string::npos;
  while ((end = unread_.find("\r\n\r\n")) == std::string::npos) {
    if (!read_more()) return std::nullopt;
  }
  auto answer = parse_head(std::string_view(unread_).substr(0, end + 2));
  unread_.erase(0, end + 4);
  if (!answer) return std::nullopt;
  if (answer->status == 204) return answer;  // never has a body (RFC 9110 15.3.5)
  const std::string length = answer->header("content-length");
  std::size_t size = 0;
  const auto [stop, error] = std::from_chars(length.data(), length.data() + length.size(), size);
  if (error != std::errc() || stop != length.data() + length.size() || length.empty()) return std::nullopt;
  if (to_head) return answer;
  while (unread_.size() < size) {
    if (!read_more()) return std::nullopt;
  }
  answer->body = unread_.substr(0, size);
  unread_.erase(0, size);
  return answer;
}

std::string HttpPeer::leftovers(milliseconds at_most) {
  while (read_more(at_most)) continue;
  return unread_;
}

std::string request_text(std::string_view method, std::string_view path, std::string_view body, std::string_view content_type) {
  std::string text;
  text.append(method).append(" ").append(path).append(" HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: */*\r\n");
  if (!content_type.empty()) text.append("Content-type: ").append(content_type).append("\r\n");
  if (method == "POST") text.append("Content-Length: ").append(std::to_string(body.size())).append("\r\n");
  return text.append("\r\n").append(body);
}

std::optional<Answer> ask(std::uint16_t port, std::string_view request, bool head) {
  HttpPeer peer(port);
  if (!peer.connected() || !peer.send(request)) return std::nullopt;
  return peer.receive(head);
}

std::optional<Answer> post_sign(std::uint16_t port, std::string_view body, std::string_view content_type) {
  return ask(port, request_text("POST", "/sign", body, content_type));
}

}  // namespace birthmark::e2e
