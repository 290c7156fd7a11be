// SPDX-License-Identifier: Apache-2.0
// An http:// or https:// address in its parts, strictly. Used by the client.
#pragma once

#include <string>

#include "base/result.h"

namespace birthmark::net {

struct Url {
  bool secure = false;
  std::string host;  // without brackets
  std::string port;
  std::string authority;  // as written, for the Host header
  std::string target;     // path and query, at least "/"

  // Whether both lead to the same server by the same way, so that one connection can serve both.
  [[nodiscard]] bool same_origin(const Url& other) const { return secure == other.secure && host == other.host && port == other.port; }
};

[[nodiscard]] Result<Url> parse_url(const std::string& text);

}  // namespace birthmark::net
