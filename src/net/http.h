// SPDX-License-Identifier: Apache-2.0
// What a face sees of HTTP: a request with its peer, a response, nothing of sockets, parsers or Beast.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/task.h"

namespace birthmark::net {

// What a TLS peer proved to hold the key of: one object for a whole connection.
struct PeerCertificate {
  std::vector<Bytes> chain;  // DER as sent, leaf first
  Fingerprint fingerprint;   // of the leaf
  std::int64_t anchor = 0;   // TlsAnchor::tag of the CA that signed the leaf
  bool under_root = false;   // no anchor signed it, but a known root: to be refused with a reason
};

// Who is at the other end.
struct PeerIdentity {
  std::string address;  // "127.0.0.1", without port; IPv4-mapped IPv6 addresses in IPv4 form
  std::uint16_t port = 0;
  bool encrypted = false;
  std::shared_ptr<const PeerCertificate> certificate;  // null on plain connections, and for TLS peers that showed none
};

// Valid until the handler's task is done. Names are compared without case.
struct Request {
  std::string_view method;  // "POST"
  std::string_view path;    // origin-form target up to '?', as sent (not percent-decoded)
  std::string_view query;   // after '?', may be empty
  std::string_view content_type;
  std::string_view body;
  std::vector<std::pair<std::string_view, std::string_view>> headers;
  PeerIdentity peer;
  std::string id;  // its name in the log and in the answer's X-Request-Id

  // The first header of that name, or an empty view.
  [[nodiscard]] std::string_view header(std::string_view name) const;
};

struct Response {
  int status = 200;
  std::string content_type = "application/json";
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;  // a "Date" among them takes the engine's place
  // Called once when the peer's TCP has acknowledged every byte of this response (seen at its next request or its orderly close);
  // not called when the connection breaks before. Called on a network thread: must not block.
  std::function<void()> on_delivered;
};

// {"message": "..."} with the text escaped.
[[nodiscard]] Response json_error(int status, std::string_view message);
[[nodiscard]] std::string_view reason_phrase(int status);

// One face behind one listener. `handle` runs on a network thread, must not block it, and may be running many times at once.
class Handler {
 public:
  virtual ~Handler() = default;
  [[nodiscard]] virtual Task<Response> handle(const Request& request) = 0;
};

}  // namespace birthmark::net
