// SPDX-License-Identifier: Apache-2.0
// A range of addresses in CIDR notation, and whether a peer's address is in one.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace birthmark::core {

// IPv4 is kept as IPv4-mapped IPv6 (RFC 4291 2.5.5.2), so that both are compared alike.
using AddressOctets = std::array<std::uint8_t, 16>;
// "192.168.1.7", "fe80::1", "fe80::1%eth0"; nothing for anything else.
[[nodiscard]] std::optional<AddressOctets> parse_address(std::string_view text);

class Network {
 public:
  // "10.0.0.0/8", "::1/128", or a single address. Refuses bits beyond the prefix: 10.0.0.1/8 is a slip more often than a wish.
  [[nodiscard]] static Result<Network> parse(std::string_view text);
  [[nodiscard]] bool contains(const AddressOctets& address) const;
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  AddressOctets octets_{};
  unsigned bits_ = 128;
  std::string text_;
};

// Loopback, the private ranges of RFC 1918 and RFC 4193, and link-local addresses (RFC 3927, RFC 4291 2.5.6).
[[nodiscard]] const std::vector<Network>& private_networks();

[[nodiscard]] bool contains(std::span<const Network> networks, std::string_view address);

}  // namespace birthmark::core
