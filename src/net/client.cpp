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

#include "base/file.h"
#include "net/ascii.h"
#include "net/http_date.h"
#include "net/tls_client.h"
#include "net/url.h"

namespace birthmark::net {
namespace {

namespace http = boost::beast::http;
using SteadyTime = std::chrono::steady_clock::time_point;
using Parser = http::response_parser<http::string_body>;

struct AddressesFree {
  void operator()(addrinfo* list) const { ::freeaddrinfo(list); }
};

// RFC 9110 9.2.2.
bool is_idempotent(std::string_view method) {
  return method == "GET" || method == "HEAD" || method == "PUT" || method == "DELETE" || method == "OPTIONS";
}

Result<std::string> render(const ClientRequest& request, const Url& url) {
  std::string text = request.method + " " + url.target + " HTTP/1.1\r\nHost: " + url.authority + "\r\n";
  for (const auto& [name, value] : request.headers) {
    if ((name + value).find_first_of(std::string_view("\r\n\0", 3)) != std::string::npos)
      return fail(ErrorCode::invalid, "a request header has a line end in it");
    text += name + ": " + value + "\r\n";
  }
  if (!request.body.empty() || request.method == "POST" || request.method == "PUT" || request.method == "PATCH")
    text += "Content-Length: " + std::to_string(request.body.size()) + "\r\n";
  return text + "\r\n" + request.body;
}

// One connected socket, plain or TLS, with what was received on it and not yet used. The deadline is that of the current exchange.
class Wire {
 public:
  explicit Wire(Url url) : url_(std::move(url)) {}
  ~Wire() {
    if (channel_) channel_->close_write();
  }
  Wire(const Wire&) = delete;
  Wire& operator=(const Wire&) = delete;

  [[nodiscard]] const Url& url() const { return url_; }
  void set_deadline(SteadyTime deadline) { deadline_ = deadline; }

  // `context`: for https://.
  Status connect(TlsClientContext* context);
  // A server may answer before it has read everything: a failed send is no failure while there is an answer to read.
  Status send(std::string_view message);
  // The next answer that is not an interim one (RFC 9110 15.2).
  Result<ClientResponse> receive(const ClientRequest& request);

  // Nothing came since the last answer: no end, no byte nobody asked for.
  [[nodiscard]] bool is_quiet();
  [[nodiscard]] bool keeps_open() const { return keeps_open_; }
  // Of the current exchange: a byte of an answer has arrived.
  [[nodiscard]] bool answered() const { return answered_; }

 private:
  [[nodiscard]] tl::unexpected<Error> failed(std::string_view what, std::string detail = {}) const {
    return fail(ErrorCode::unavailable, "cannot ask " + url_.authority + ": " + std::string(what), std::move(detail));
  }
  [[nodiscard]] tl::unexpected<Error> broken(std::string_view what) const {
    return tls_ == nullptr ? failed(what) : tl::make_unexpected(tls_->failure());
  }
  [[nodiscard]] bool wait_for(short events) const;
  [[nodiscard]] int connect_to(const addrinfo& address);
  [[nodiscard]] Status start_tls(TlsClientContext& context);
  [[nodiscard]] Status read_into(Parser& parser, const ClientRequest& request);
  [[nodiscard]] Result<bool> read_more();

  const Url url_;
  SteadyTime deadline_;
  FileDescriptor socket_;
  std::unique_ptr<Channel> channel_;
  TlsClientChannel* tls_ = nullptr;  // channel_, when it is one
  std::string held_;                 // received, not yet parsed
  bool keeps_open_ = false;
  bool answered_ = false;
};

// False when the time is over.
bool Wire::wait_for(short events) const {
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline_ - std::chrono::steady_clock::now()).count();
  if (left <= 0) return false;
  pollfd watched{.fd = socket_.get(), .events = events, .revents = 0};
  const int ready = ::poll(&watched, 1, static_cast<int>(std::min<std::int64_t>(left, 1'000'000)));
  return ready > 0 || (ready < 0 && errno == EINTR);
}

Status Wire::connect(TlsClientContext* context) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int error = ::getaddrinfo(url_.host.c_str(), url_.port.c_str(), &hints, &found);
  if (error != 0) return failed(::gai_strerror(error));
  const std::unique_ptr<addrinfo, AddressesFree> list(found);
  int number = EADDRNOTAVAIL;
  for (const addrinfo* address = list.get(); address != nullptr && number != 0; address = address->ai_next) number = connect_to(*address);
  if (number != 0) return failed(describe_errno(number));
  if (url_.secure) return start_tls(*context);
  channel_ = std::make_unique<SocketChannel>(socket_.get());
  return {};
}

// 0, or an errno value.
int Wire::connect_to(const addrinfo& address) {
  socket_.reset(::socket(address.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket_.valid()) return errno;
  if (::connect(socket_.get(), address.ai_addr, address.ai_addrlen) == 0) return 0;
  if (errno != EINPROGRESS) return errno;
  if (!wait_for(POLLOUT)) return ETIMEDOUT;
  int error = 0;
  socklen_t size = sizeof error;
  return ::getsockopt(socket_.get(), SOL_SOCKET, SO_ERROR, &error, &size) == 0 ? error : errno;
}

Status Wire::start_tls(TlsClientContext& context) {
  BIRTHMARK_TRY(auto channel, context.connect(socket_.get(), url_.host));
  tls_ = channel.get();
  channel_ = std::move(channel);
  for (;;) {
    const IoState state = tls_->handshake();
    if (state == IoState::done) return {};
    if (state != IoState::want_read && state != IoState::want_write) return broken("the TLS handshake failed");
    if (!wait_for(state == IoState::want_read ? POLLIN : POLLOUT)) return failed("no TLS handshake in time");
  }
}

Status Wire::send(std::string_view message) {
  answered_ = false;
  while (!message.empty()) {
    const IoResult sent = channel_->send(message);
    switch (sent.state) {
      case IoState::done: message.remove_prefix(sent.size); break;
      case IoState::ended:
      case IoState::broken:
      case IoState::want_answer:  // a server's side only
      case IoState::rejected: return {};
      case IoState::want_read:
      case IoState::want_write:
        if (!wait_for(sent.state == IoState::want_read ? POLLIN : POLLOUT)) return failed("no answer in time");
    }
  }
  return {};
}

Result<ClientResponse> Wire::receive(const ClientRequest& request) {
  for (;;) {
    Parser parser;
    parser.body_limit(request.response_limit_bytes);
    parser.eager(true);
    if (request.method == "HEAD") parser.skip(true);
    BIRTHMARK_CHECK(read_into(parser, request));
    keeps_open_ = parser.keep_alive() && held_.empty();
    auto message = parser.release();
    const int status = static_cast<int>(message.result_int());
    if (status < 200) continue;
    ClientResponse response{.status = status, .body = std::move(message.body()), .headers = {}};
    for (const auto& field : message) response.headers.emplace_back(std::string(field.name_string()), std::string(field.value()));
    return response;
  }
}

Status Wire::read_into(Parser& parser, const ClientRequest& request) {
  boost::system::error_code error;
  while (!parser.is_done()) {
    if (!held_.empty()) {
      held_.erase(0, parser.put(boost::asio::const_buffer(held_.data(), held_.size()), error));
      if (error == http::error::body_limit) return fail(ErrorCode::too_large, "the answer of " + request.url + " is too large");
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
Result<bool> Wire::read_more() {
  std::array<char, 16'384> buffer;
  for (;;) {
    const IoResult got = channel_->receive(buffer);
    switch (got.state) {
      case IoState::done:
        answered_ = true;
        held_.append(buffer.data(), got.size);
        return true;
      case IoState::ended: return false;
      case IoState::broken:
      case IoState::want_answer:  // a server's side only
      case IoState::rejected: return broken("the connection broke");
      case IoState::want_read:
      case IoState::want_write:
        if (!wait_for(got.state == IoState::want_read ? POLLIN : POLLOUT)) return failed("no answer in time");
    }
  }
}

bool Wire::is_quiet() {
  std::array<char, 1> octet{};
  return channel_->receive(octet).state == IoState::want_read;
}

}  // namespace

std::string_view ClientResponse::header(std::string_view name) const {
  for (const auto& [known, value] : headers) {
    if (equal_ignoring_case(known, name)) return value;
  }
  return {};
}

std::optional<std::time_t> ClientResponse::moment(std::string_view name) const {
  return parse_http_date(header(name));
}

struct HttpClient::State {
  TlsTrust trust;
  std::unique_ptr<TlsClientContext> context;
  std::unique_ptr<Wire> wire;  // between two requests: one that the server keeps open
  bool reused = false;
  bool may_have_arrived = false;

  Result<ClientResponse> ask(const ClientRequest& request);
  Status open(const Url& url, SteadyTime deadline);
  Result<ClientResponse> exchange(const ClientRequest& request, const std::string& message);
};

Result<ClientResponse> HttpClient::State::ask(const ClientRequest& request) {
  const SteadyTime deadline = std::chrono::steady_clock::now() + request.timeout;
  BIRTHMARK_TRY(const Url url, parse_url(request.url));
  BIRTHMARK_TRY(const std::string message, render(request, url));
  may_have_arrived = false;
  reused = wire && wire->url().same_origin(url) && wire->is_quiet();
  if (reused) {
    wire->set_deadline(deadline);
    auto answer = exchange(request, message);
    const bool closed_meanwhile = !answer && wire && !wire->answered() && std::chrono::steady_clock::now() < deadline;
    if (!closed_meanwhile || !is_idempotent(request.method)) {
      if (!answer) wire.reset();
      return answer;
    }
    reused = false;
  }
  BIRTHMARK_CHECK(open(url, deadline));
  auto answer = exchange(request, message);
  if (!answer) wire.reset();
  return answer;
}

Status HttpClient::State::open(const Url& url, SteadyTime deadline) {
  wire.reset();
  if (url.secure && !context) {
    BIRTHMARK_TRY(context, TlsClientContext::create(trust));
  }
  auto fresh = std::make_unique<Wire>(url);
  fresh->set_deadline(deadline);
  BIRTHMARK_CHECK(fresh->connect(context.get()));
  wire = std::move(fresh);
  return {};
}

Result<ClientResponse> HttpClient::State::exchange(const ClientRequest& request, const std::string& message) {
  may_have_arrived = true;
  BIRTHMARK_CHECK(wire->send(message));
  BIRTHMARK_TRY(auto response, wire->receive(request));
  if (!wire->keeps_open()) wire.reset();
  return response;
}

HttpClient::HttpClient(TlsTrust trust) : state_(std::make_unique<State>()) {
  state_->trust = std::move(trust);
}
HttpClient::~HttpClient() = default;
HttpClient::HttpClient(HttpClient&&) noexcept = default;
HttpClient& HttpClient::operator=(HttpClient&&) noexcept = default;

Result<ClientResponse> HttpClient::ask(const ClientRequest& request) {
  return state_->ask(request);
}

bool HttpClient::reused() const {
  return state_->reused;
}

bool HttpClient::may_have_arrived() const {
  return state_->may_have_arrived;
}

Result<ClientResponse> http_request(const ClientRequest& request, const TlsTrust& trust) {
  HttpClient client(trust);
  ClientRequest once = request;
  once.headers.emplace_back("Connection", "close");
  return client.ask(once);
}

}  // namespace birthmark::net
