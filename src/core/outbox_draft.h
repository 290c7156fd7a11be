// SPDX-License-Identifier: Apache-2.0
// A message to the outside as it is handed to the store, together with the change that it reports. Kept apart from ports/outbox.h so that
// ports/registry.h needs no more than this.
#pragma once

#include <cstdint>
#include <string>

namespace birthmark::core {

// Who a message is for. The numbers are stored; they never change.
enum class OutboxChannel : std::uint8_t {
  upstream = 1,  // the fleet's cloud learns of a device
  events = 2,    // the line's own systems learn what happened
};

struct OutboxDraft {
  OutboxChannel channel = OutboxChannel::upstream;
  std::string body;  // as it will be sent
};

}  // namespace birthmark::core
