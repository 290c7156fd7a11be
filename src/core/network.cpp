// SPDX-License-Identifier: Apache-2.0
#include "core/network.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cstring>

namespace birthmark::core {
namespace {

constexpr unsigned kMappedBits = 96;  // of ::ffff:0:0/96

std::optional<AddressOctets> parse_v4(const char* text) {
  AddressOctets octets{};
  octets[10] = octets[11] = 0xff;
  if (::inet_pton(AF_INET, text, octets.data() + 12) != 1) return std::nullopt;
  return octets;
}

bool same_prefix(const AddressOctets& a, const AddressOctets& b, unsigned bits) {
  const unsigned whole = bits / 8;
  if (std::memcmp(a.data(), b.data(), whole) != 0) return false;
  const unsigned rest = bits % 8;
  return rest == 0 || ((a[whole] ^ b[whole]) >> (8 - rest)) == 0;
}

tl::unexpected<Error> no_network(std::string_view text, std::string_view why) {
  return fail(ErrorCode::invalid, "'" + std::string(text) + "' is not a network (ADDRESS/BITS): " + std::string(why));
}

}  // namespace

std::optional<AddressOctets> parse_address(std::string_view text) {
  std::array<char, INET6_ADDRSTRLEN + 1> terminated{};
  text = text.substr(0, text.find('%'));
  if (text.empty() || text.size() >= terminated.size() || text.find('\0') != std::string_view::npos) return std::nullopt;
  std::copy(text.begin(), text.end(), terminated.begin());
  if (text.find(':') == std::string_view::npos) return parse_v4(terminated.data());
  AddressOctets octets{};
  if (::inet_pton(AF_INET6, terminated.data(), octets.data()) != 1) return std::nullopt;
  return octets;
}

Result<Network> Network::parse(std::string_view text) {
  const std::size_t slash = text.find('/');
  const auto address = parse_address(text.substr(0, slash));
  if (!address || text.find('%') != std::string_view::npos) return no_network(text, "the address cannot be read");
  const bool v4 = text.find(':') == std::string_view::npos;
  const unsigned most = v4 ? 32 : 128;
  unsigned bits = most;
  if (slash != std::string_view::npos) {
    const char* const end = text.data() + text.size();
    const auto read = std::from_chars(text.data() + slash + 1, end, bits);
    if (read.ec != std::errc{} || read.ptr != end || bits > most) return no_network(text, "BITS is 0 to " + std::to_string(most));
  }
  Network network;
  network.octets_ = *address;
  network.bits_ = v4 ? kMappedBits + bits : bits;
  network.text_ = std::string(text);
  AddressOctets beyond = *address;
  for (unsigned bit = 0; bit < network.bits_; ++bit) beyond[bit / 8] &= static_cast<std::uint8_t>(~(0x80U >> bit % 8));
  if (beyond != AddressOctets{}) return no_network(text, "there are bits set beyond the prefix");
  return network;
}

bool Network::contains(const AddressOctets& address) const {
  return same_prefix(octets_, address, bits_);
}

const std::vector<Network>& private_networks() {
  static const std::vector<Network> kNetworks = [] {
    std::vector<Network> networks;
    for (const std::string_view text :
         {"127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "::1/128", "fc00::/7", "fe80::/10"}) {
      auto network = Network::parse(text);
      BIRTHMARK_ASSERT(network.has_value());
      networks.push_back(std::move(*network));
    }
    return networks;
  }();
  return kNetworks;
}

bool contains(std::span<const Network> networks, std::string_view address) {
  const auto octets = parse_address(address);
  return octets && std::any_of(networks.begin(), networks.end(), [&](const Network& network) { return network.contains(*octets); });
}

}  // namespace birthmark::core
