// SPDX-License-Identifier: Apache-2.0
// What an operator does about messages that the courier cannot get rid of, with its audit record. Called by the command line and the admin
// listener.
#pragma once

#include <optional>

#include "core/lifecycle.h"
#include "core/ports/clock.h"
#include "core/ports/outbox.h"

namespace birthmark::core {

// waiting, sending, unverified, stopped: those that an operator lists, and, but for `sending`, moves.
[[nodiscard]] std::optional<OutboxState> parse_open_state(std::string_view name);

struct MessageSelection {
  OutboxChannel channel = OutboxChannel::upstream;
  std::optional<RowId> message;  // this one; absent: all in `state`
  OutboxState state = OutboxState::stopped;
};

class OutboxKeeper {
 public:
  OutboxKeeper(Outbox& outbox, const Clock& clock, std::string factory) : outbox_(outbox), clock_(clock), factory_(std::move(factory)) {}

  // Sent again at once. How many; not_found when the one that is named cannot be moved.
  [[nodiscard]] Task<Result<std::uint64_t>> retry(MessageSelection which, OperatorAct act);
  // Given up: the other side will not be told. A reason is required.
  [[nodiscard]] Task<Result<std::uint64_t>> drop(MessageSelection which, OperatorAct act);

 private:
  [[nodiscard]] Task<Result<std::uint64_t>> move(MessageSelection which, OutboxOrder::Act wanted, OperatorAct act);

  Outbox& outbox_;
  const Clock& clock_;
  const std::string factory_;
};

}  // namespace birthmark::core
