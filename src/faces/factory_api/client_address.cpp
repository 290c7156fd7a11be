// SPDX-License-Identifier: Apache-2.0
#include "faces/factory_api/client_address.h"

namespace birthmark::faces::factory_api {
namespace {

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ') || text.starts_with('\t')) text.remove_prefix(1);
  while (text.ends_with(' ') || text.ends_with('\t')) text.remove_suffix(1);
  return text;
}

}  // namespace

std::string client_address(const net::Request& request, std::span<const core::Network> proxies) {
  std::string address = request.peer.address;
  std::string_view hops = request.header("X-Forwarded-For");
  while (core::contains(proxies, address) && !hops.empty()) {
    const std::size_t comma = hops.rfind(',');
    const std::string_view hop = trimmed(comma == std::string_view::npos ? hops : hops.substr(comma + 1));
    if (!core::parse_address(hop)) break;  // what is no address is nobody's
    address = std::string(hop);
    hops = comma == std::string_view::npos ? std::string_view() : hops.substr(0, comma);
  }
  return address;
}

}  // namespace birthmark::faces::factory_api
