// SPDX-License-Identifier: Apache-2.0
// A small blocking HTTP/1.1 client for command line tools: one request, one connection, plain http. Never used on a network thread.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace birthmark::net {

struct ClientRequest {
  std::string method = "GET";
  std::string url;  // "http://127.0.0.1:8000/sign"
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  std::chrono::milliseconds timeout{30'000};
  std::size_t response_limit_bytes = 1U << 20U;
};

struct ClientResponse {
  int status = 0;
  std::string body;
};

[[nodiscard]] Result<ClientResponse> http_request(const ClientRequest& request);

}  // namespace birthmark::net
