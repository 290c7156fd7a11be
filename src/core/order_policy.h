// SPDX-License-Identifier: Apache-2.0
// Which order a device registers on, and in words why it is none. Pure.
#pragma once

#include <string>
#include <string_view>
#include <variant>

#include "core/ports/orders.h"

namespace birthmark::core {

// '*' any run of characters, '?' any one; everything else itself.
[[nodiscard]] bool matches_glob(std::string_view pattern, std::string_view text);

// Why nobody can register on this order now; nothing when somebody could.
[[nodiscard]] std::optional<std::string> why_not_open(const OrderRecord& order, Instant now);

// The first offer of the view that takes the device, or the reason why none does, for the device and the audit.
[[nodiscard]] std::variant<OrderOffer, std::string> choose_order(const OrderView& view, const DeviceIdentity& identity,
                                                                 std::string_view hardware_id, Instant now);

}  // namespace birthmark::core
