// SPDX-License-Identifier: Apache-2.0
// Blocking sockets with one deadline over the whole exchange; Beast reads the answer.
#include "net/client.h"

#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <cerrno>
#include <charconv>
#include <memory>

#include "base/file.h"
#include "net/ascii.h"

namespace birthmark::net {
namespace {

namespace http = boost::beast::http;
using SteadyTime = std::chrono::steady_clock::time_point;

struct Url {
  std::string host;
  std::string port;
  std::string authority;  // for the Host header
  std::string target;
};

tl::unexpected<Error> bad_url(const std::string& url, std::string_view why) {
  return fail(ErrorCode::invalid, "cannot ask \"" + url + "\": " + std::string(why));
}

bool is_printable(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < '\x7f'; });
}

Result<Url> parse_url(const std::string& text) {
  constexpr std::string_view kScheme = "http://";
  const std::string_view whole(text);
  if (!equal_ignoring_case(whole.substr(0, kScheme.size()), kScheme)) return bad_url(text, "only plain http:// is supported");
  if (!is_printable(whole)) return bad_url(text, "it has a space or a control character");
  const std::size_t end = std::min(whole.find_first_of("/?#", kScheme.size()), whole.size());
  Url url;
  url.authority = whole.substr(kScheme.size(), end - kScheme.size());
  url.target = whole.substr(end, whole.find('#') == std::string_view::npos ? std::string_view::npos : whole.find('#') - end);
  if (!url.target.starts_with('/')) url.target.insert(url.target.begin(), '/');
  const std::size_t bracket = url.authority.rfind(']');
  const std::size_t colon = url.authority.find(':', bracket == std::string::npos ? 0 : bracket);
  url.host = url.authority.substr(0, colon);
  url.port = colon == std::string::npos ? "80" : url.authority.substr(colon + 1);
  if (url.host.starts_with('[') && url.host.ends_with(']')) url.host = url.host.substr(1, url.host.size() - 2);
  if (url.host.empty() || url.host.find('@') != std::string::npos || !is_digits(url.port))
    return bad_url(text, "the host or port is missing");
  return url;
}

struct AddressesFree {
  void operator()(addrinfo* list) const { ::freeaddrinfo(list); }
};

class ClientExchange {
 public:
  ClientExchange(const ClientRequest& request, Url url)
      : request_(request), url_(std::move(url)), deadline_(std::chrono::steady_clock::now() + request.timeout) {}

  Result<ClientResponse> run() {
    BIRTHMARK_CHECK(connect());
    BIRTHMARK_TRY(const std::string message, render());
    BIRTHMARK_CHECK(send(message));
    return receive();
  }

 private:
  tl::unexpected<Error> failed(std::string_view what, std::string detail = {}) const {
    return fail(ErrorCode::unavailable, "cannot ask " + request_.url + ": " + std::string(what), std::move(detail));
  }

  // False when the time is over.
  bool wait_for(short events) const {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline_ - std::chrono::steady_clock::now()).count();
    if (left <= 0) return false;
    pollfd watched{.fd = socket_.get(), .events = events, .revents = 0};
    const int ready = ::poll(&watched, 1, static_cast<int>(std::min<std::int64_t>(left, 1'000'000)));
    return ready > 0 || (ready < 0 && errno == EINTR);
  }

  Status connect() {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_NUMERICSERV;
    addrinfo* found = nullptr;
    const int error = ::getaddrinfo(url_.host.c_str(), url_.port.c_str(), &hints, &found);
    if (error != 0) return failed(::gai_strerror(error));
    const std::unique_ptr<addrinfo, AddressesFree> list(found);
    std::string last = "no address";
    for (const addrinfo* address = list.get(); address != nullptr; address = address->ai_next) {
      const int number = connect_to(*address);
      if (number == 0) return {};
      last = describe_errno(number);
    }
    return failed(last);
  }

  // 0, or an errno value.
  int connect_to(const addrinfo& address) {
    socket_.reset(::socket(address.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!socket_.valid()) return errno;
    if (::connect(socket_.get(), address.ai_addr, address.ai_addrlen) == 0) return 0;
    if (errno != EINPROGRESS) return errno;
    if (!wait_for(POLLOUT)) return ETIMEDOUT;
    int error = 0;
    socklen_t size = sizeof error;
    return ::getsockopt(socket_.get(), SOL_SOCKET, SO_ERROR, &error, &size) == 0 ? error : errno;
  }

  Result<std::string> render() const {
    std::string text = request_.method + " " + url_.target + " HTTP/1.1\r\nHost: " + url_.authority + "\r\nConnection: close\r\n";
    for (const auto& [name, value] : request_.headers) {
      if ((name + value).find_first_of(std::string_view("\r\n\0", 3)) != std::string::npos) {
        return fail(ErrorCode::invalid, "a request header has a line end in it");
      }
      text += name + ": " + value + "\r\n";
    }
    if (!request_.body.empty() || request_.method == "POST" || request_.method == "PUT") {
      text += "Content-Length: " + std::to_string(request_.body.size()) + "\r\n";
    }
    return text + "\r\n" + request_.body;
  }

  // A server may answer before it has read everything: a failed send is no failure while there is an answer to read.
  Status send(std::string_view message) {
    while (!message.empty()) {
      const ssize_t sent = ::send(socket_.get(), message.data(), message.size(), MSG_NOSIGNAL);
      if (sent > 0) {
        message.remove_prefix(static_cast<std::size_t>(sent));
      } else if (errno == EPIPE || errno == ECONNRESET) {
        return {};
      } else if (errno != EAGAIN && errno != EINTR) {
        return failed(describe_errno(errno));
      } else if (!wait_for(POLLOUT)) {
        return failed("no answer in time");
      }
    }
    return {};
  }

  Result<ClientResponse> receive() {
    while (true) {
      http::response_parser<http::string_body> parser;
      parser.body_limit(request_.response_limit_bytes);
      parser.eager(true);
      if (request_.method == "HEAD") parser.skip(true);
      BIRTHMARK_CHECK(read_into(parser));
      auto message = parser.release();
      const int status = static_cast<int>(message.result_int());
      if (status >= 200) return ClientResponse{.status = status, .body = std::move(message.body())};
    }
  }

  Status read_into(http::response_parser<http::string_body>& parser) {
    boost::system::error_code error;
    while (!parser.is_done()) {
      if (!held_.empty()) {
        held_.erase(0, parser.put(boost::asio::const_buffer(held_.data(), held_.size()), error));
        if (error == http::error::body_limit) return fail(ErrorCode::too_large, "the answer of " + request_.url + " is too large");
        if (error && error != http::error::need_more) return failed("the answer is not HTTP", error.message());
        if (parser.is_done()) break;
      }
      BIRTHMARK_TRY(const bool more, read_more());
      if (more) continue;
      if (parser.got_some()) parser.put_eof(error);
      if (!parser.is_done()) return failed("the connection ended before the answer did");
    }
    return {};
  }

  // False at the end of the stream.
  Result<bool> read_more() {
    std::array<char, 16'384> buffer;
    while (true) {
      const ssize_t got = ::recv(socket_.get(), buffer.data(), buffer.size(), 0);
      if (got > 0) held_.append(buffer.data(), static_cast<std::size_t>(got));
      if (got >= 0) return got > 0;
      if (errno != EAGAIN && errno != EINTR) return failed(describe_errno(errno));
      if (!wait_for(POLLIN)) return failed("no answer in time");
    }
  }

  const ClientRequest& request_;
  Url url_;
  SteadyTime deadline_;
  FileDescriptor socket_;
  std::string held_;  // received, not yet parsed
};

}  // namespace

Result<ClientResponse> http_request(const ClientRequest& request) {
  BIRTHMARK_TRY(Url url, parse_url(request.url));
  return ClientExchange(request, std::move(url)).run();
}

}  // namespace birthmark::net
