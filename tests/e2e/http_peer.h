// SPDX-License-Identifier: Apache-2.0
// HTTP as a test sees it: octets over a socket of its own, and answers whose framing is checked. Shares nothing with src/net, so that a
// mistake there cannot hide itself.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "child_process.h"

namespace birthmark::e2e {

struct Answer {
  int status = 0;
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;

  [[nodiscard]] std::string header(const std::string& name) const;
  [[nodiscard]] std::string member(std::string_view name) const;  // of the JSON body, a string; empty when there is none
  [[nodiscard]] std::string message() const { return member("message"); }
};

// Nothing in it throws: threads of a test use it.
class HttpPeer {
 public:
  explicit HttpPeer(std::uint16_t port);

  [[nodiscard]] bool connected() const { return socket_.valid(); }
  [[nodiscard]] bool send(std::string_view octets);
  // The next answer, by its Content-Length; nothing when the connection ended, the framing was wrong or nothing came in time.
  [[nodiscard]] std::optional<Answer> receive(bool to_head = false);
  // Octets that came beyond the answers received so far, until the peer closes or `at_most` has passed.
  [[nodiscard]] std::string leftovers(milliseconds at_most);

 private:
  [[nodiscard]] bool read_more(milliseconds at_most = kPatience);

  FileDescriptor socket_;
  std::string unread_;
};

[[nodiscard]] std::string request_text(std::string_view method, std::string_view path, std::string_view body,
                                       std::string_view content_type = "application/json");

// One request on a connection of its own.
[[nodiscard]] std::optional<Answer> ask(std::uint16_t port, std::string_view request, bool head = false);
// POST /sign.
[[nodiscard]] std::optional<Answer> post_sign(std::uint16_t port, std::string_view body,
                                              std::string_view content_type = "application/json");

}  // namespace birthmark::e2e
