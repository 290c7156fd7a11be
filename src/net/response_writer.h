// SPDX-License-Identifier: Apache-2.0
// A Response as the bytes of HTTP/1.1 (RFC 9112), in one buffer for one write. Used by net/connection.cpp.
// Never lets a handler's header break the framing: such a response becomes a 500.
#pragma once

#include <cstdint>
#include <ctime>
#include <string>
#include <string_view>

#include "net/http.h"

namespace birthmark::net {

enum class Persistence : std::uint8_t {
  keep,           // HTTP/1.1: stays open without saying so
  keep_and_tell,  // HTTP/1.0: "Connection: keep-alive"
  close,          // "Connection: close"
};

enum class BodyUse : std::uint8_t {
  send,
  omit,  // the answer to HEAD: Content-Length as for GET, no body
};

// Appends to `to`. `date` is the value of the Date header; `request_id`, of X-Request-Id, is plain text or empty.
void write_response(std::string& to, const Response& response, Persistence persistence, BodyUse body_use, std::string_view date,
                    std::string_view request_id = {});

// Whether status, content type and headers can be written as they are.
[[nodiscard]] bool is_writable(const Response& response);

// "Fri, 20 Nov 2026 16:22:09 GMT" (RFC 9110 5.6.7).
[[nodiscard]] std::string format_http_date(std::time_t at);

}  // namespace birthmark::net
