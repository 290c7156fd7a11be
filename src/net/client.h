// SPDX-License-Identifier: Apache-2.0
// A small blocking HTTP/1.1 client, http:// and https://, for command line tools and for threads that may wait. Never used on a network
// thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <ctime>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace birthmark::net {

// `none` exists for one caller: the registration reference's VERIFY_SSL=false. It warns with every connection.
enum class PeerCheck : std::uint8_t { required, none };

// What an https:// peer is checked against, and what we show it. TLS 1.2 or later.
struct TlsTrust {
  std::string ca_file;           // PEM; trusted beside the system's CAs
  std::string certificate_file;  // PEM, our leaf first; empty: no client certificate
  std::string key_file;          // PEM; empty: in certificate_file
  PeerCheck peer_check = PeerCheck::required;
};

struct ClientRequest {
  std::string method = "GET";
  std::string url;  // "https://api.example.com/ota/devices/"
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  std::chrono::milliseconds timeout{30'000};  // for the whole exchange, connecting included
  std::size_t response_limit_bytes = 1U << 20U;
};

struct ClientResponse {
  int status = 0;
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;

  // The first header of that name (compared without case), or an empty view.
  [[nodiscard]] std::string_view header(std::string_view name) const;
  // The same where it is an HTTP date (RFC 9110 5.6.7).
  [[nodiscard]] std::optional<std::time_t> moment(std::string_view name) const;
};

// Asks one request after another and keeps the connection open between them as long as the server does. One thread at a time.
// misconfigured: the peer's certificate is not accepted, or a file of `trust` cannot be used; unavailable: everything that may pass.
class HttpClient {
 public:
  explicit HttpClient(TlsTrust trust = {});
  ~HttpClient();
  HttpClient(HttpClient&&) noexcept;
  HttpClient& operator=(HttpClient&&) noexcept;

  // A connection that the server closed between two requests is replaced unnoticed, as RFC 9112 9.3.1 allows: when nothing was sent on it
  // yet, or the method is idempotent and not one byte came back.
  [[nodiscard]] Result<ClientResponse> ask(const ClientRequest& request);
  // Whether the last answer came over a connection that was already open.
  [[nodiscard]] bool reused() const;
  // After an error: whether the server may have got the request all the same.
  [[nodiscard]] bool may_have_arrived() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// One request, one connection.
[[nodiscard]] Result<ClientResponse> http_request(const ClientRequest& request, const TlsTrust& trust = {});

[[nodiscard]] Status check_url(const std::string& url);  // http:// or https:// with a host

// Whether a secret may be sent there: https://, or http:// to this machine. The error says so.
[[nodiscard]] Status check_confidential_url(const std::string& url);

// For one segment of a path or one value of a query (RFC 3986 2.1).
[[nodiscard]] std::string percent_encoded(std::string_view text);

}  // namespace birthmark::net
