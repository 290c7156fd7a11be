// SPDX-License-Identifier: Apache-2.0
// Who a device is: the key under which everything about it is kept.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace birthmark::core {

// Whose protocol and namespace an identity belongs to. The numbers are stored; they never change.
enum class Ecosystem : std::uint8_t { foundries = 1, izuma = 2, eve = 3 };
[[nodiscard]] std::string_view to_string(Ecosystem ecosystem);
[[nodiscard]] std::optional<Ecosystem> parse_ecosystem(std::string_view name);

// (factory, ecosystem, external id) is unique. The external id is 1 to 256 bytes of text; a UUID is held in lower case, so that two
// spellings are one device. Make it with `identify`, never by hand.
struct DeviceIdentity {
  std::string factory;
  Ecosystem ecosystem = Ecosystem::foundries;
  std::string external_id;

  auto operator<=>(const DeviceIdentity&) const = default;
};

// Which external ids a door admits (configuration `registration.device_id`).
enum class DeviceIdRule {
  uuid,  // 8-4-4-4-12 hexadecimal
  hex,   // hexadecimal digits and '-', lower case is kept: what the registration reference takes
  line,  // one line of UTF-8, as it is: serial numbers of gateways. Never from the configuration
  safe,  // letters, digits, '-', '_', '.', ':'; first a letter or digit; at most 256 bytes
};
[[nodiscard]] std::optional<DeviceIdRule> parse_device_id_rule(std::string_view name);

// Checks and normalises. The error text names the rule, and may be shown to the device.
[[nodiscard]] Result<DeviceIdentity> identify(std::string factory, Ecosystem ecosystem, std::string_view external_id, DeviceIdRule rule);

}  // namespace birthmark::core
