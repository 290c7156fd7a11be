// SPDX-License-Identifier: Apache-2.0
#include "core/outbox_keeper.h"

namespace birthmark::core {

std::optional<OutboxState> parse_open_state(std::string_view name) {
  for (const OutboxState state : {OutboxState::waiting, OutboxState::sending, OutboxState::unverified, OutboxState::stopped})
    if (to_string(state) == name) return state;
  return std::nullopt;
}

Task<Result<std::uint64_t>> OutboxKeeper::retry(MessageSelection which, OperatorAct act) {
  co_return co_await move(which, OutboxOrder::Act::retry, std::move(act));
}

Task<Result<std::uint64_t>> OutboxKeeper::drop(MessageSelection which, OperatorAct act) {
  if (act.reason.empty()) co_return fail(ErrorCode::invalid, "a reason is required");
  co_return co_await move(which, OutboxOrder::Act::drop, std::move(act));
}

Task<Result<std::uint64_t>> OutboxKeeper::move(MessageSelection which, OutboxOrder::Act wanted, OperatorAct act) {
  OutboxOrder order;
  order.channel = which.channel;
  order.act = wanted;
  order.state = which.state;
  order.row = which.message;
  order.at = clock_.now();
  const std::string messages = which.message ? "message " + std::to_string(*which.message) : "all " + std::string(to_string(which.state));
  const auto event = wanted == OutboxOrder::Act::retry ? AuditEvent::upstream_retried : AuditEvent::upstream_dropped;
  order.audit_body = audit_body(event, order.at,
                                {{"factory", factory_},
                                 {"which", (which.channel == OutboxChannel::events ? "hooks: " : "") + messages},
                                 {"reason", act.reason},
                                 {"actor", act.actor}});
  auto moved = co_await outbox_.operate(std::move(order));
  if (moved && *moved == 0 && which.message)
    co_return fail(ErrorCode::not_found, "there is no " + messages + " that could be moved: it is delivered, dropped or being sent");
  co_return moved;
}

}  // namespace birthmark::core
