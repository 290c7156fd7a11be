// SPDX-License-Identifier: Apache-2.0
// How operators write a listening address: "127.0.0.1:8000", ":8000", "[::1]:8000", "localhost:8000".
#include <charconv>

#include "net/ascii.h"
#include "net/server.h"

namespace birthmark::net {
namespace {

tl::unexpected<Error> bad_endpoint(std::string_view text, std::string_view why) {
  return fail(ErrorCode::invalid, "not an address to listen on: \"" + std::string(text) + "\": " + std::string(why));
}

}  // namespace

Result<Endpoint> parse_endpoint(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return bad_endpoint(text, "expected HOST:PORT");
  std::string_view host = text.substr(0, colon);
  const std::string_view digits = text.substr(colon + 1);
  unsigned port = 0;
  if (!is_digits(digits) || digits.size() > 5) return bad_endpoint(text, "the port is not a number");
  std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (port > 65'535) return bad_endpoint(text, "the port is above 65535");
  if (host.starts_with('[')) {
    if (!host.ends_with(']')) return bad_endpoint(text, "the bracket is not closed");
    host = host.substr(1, host.size() - 2);
    if (host.find(':') == std::string_view::npos) return bad_endpoint(text, "brackets are for IPv6 addresses");
  } else if (host.find(':') != std::string_view::npos) {
    return bad_endpoint(text, "an IPv6 address stands in brackets");
  }
  return Endpoint{.host = std::string(host), .port = static_cast<std::uint16_t>(port)};
}

std::string to_string(const Endpoint& endpoint) {
  const bool bracketed = endpoint.host.find(':') != std::string::npos;
  return (bracketed ? "[" + endpoint.host + "]" : endpoint.host) + ":" + std::to_string(endpoint.port);
}

}  // namespace birthmark::net
