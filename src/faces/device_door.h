// SPDX-License-Identifier: Apache-2.0
// How every face that devices reach with their certificates asks core::DeviceGate, and what it answers when the gate says no.
#pragma once

#include "core/device_gate.h"
#include "net/http.h"

namespace birthmark::faces {

[[nodiscard]] Task<core::GatewayOutcome> admit_peer(core::DeviceGate& gate, const net::Request& request, Instant now);

// {"code": ..., "message": ...}: what a device is told when it is turned away. The codes are stable.
[[nodiscard]] net::Response refusal_response(const core::Refusal& refusal);
[[nodiscard]] net::Response method_not_allowed(std::string_view allowed);

}  // namespace birthmark::faces
