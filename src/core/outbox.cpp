// SPDX-License-Identifier: Apache-2.0
#include "core/ports/outbox.h"

namespace birthmark::core {

std::string_view to_string(OutboxState state) {
  switch (state) {
    case OutboxState::waiting: return "waiting";
    case OutboxState::sending: return "sending";
    case OutboxState::delivered: return "delivered";
    case OutboxState::unverified: return "unverified";
    case OutboxState::stopped: return "stopped";
    case OutboxState::dropped: return "dropped";
    case OutboxState::superseded: return "superseded";
  }
  return "unknown";
}

}  // namespace birthmark::core
