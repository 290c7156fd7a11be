// SPDX-License-Identifier: Apache-2.0
#include "net/authorization.h"

#include "net/ascii.h"

namespace birthmark::net {
namespace {

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

}  // namespace

std::string_view presented_token(const Request& request) {
  constexpr std::string_view kScheme = "Bearer ";
  const std::string_view authorization = request.header("authorization");
  if (authorization.size() > kScheme.size() && equal_ignoring_case(authorization.substr(0, kScheme.size()), kScheme))
    return trimmed(authorization.substr(kScheme.size()));
  return trimmed(request.header("osf-token"));
}

}  // namespace birthmark::net
