// SPDX-License-Identifier: Apache-2.0
// Port: messages that wait to be delivered. They are written by Registry::record() in the transaction of the change that they report;
// from then on only the courier and operators move them, through here. Adapters: those of the Registry; tests/contract pins both.
//
// A message is `sending` from the moment the courier claimed it until it says what came of it: after a crash nobody knows whether the
// other side has it, and recover() marks it so.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/identity.h"
#include "core/outbox_draft.h"
#include "core/ports/registry.h"

namespace birthmark::core {

// The numbers are stored; they never change.
enum class OutboxState : std::uint8_t {
  waiting = 1,
  sending = 2,
  delivered = 3,
  unverified = 4,  // the other side has this device; whether with this key could not be read
  stopped = 5,     // the other side will not take it: an operator decides
  dropped = 6,     // an operator gave it up
  superseded = 7,  // its key was replaced, forgotten or denied before it was delivered
};
[[nodiscard]] std::string_view to_string(OutboxState state);

struct OutboxMessage {
  RowId row = 0;
  DeviceIdentity identity;  // empty for events without a device
  RowId certificate = 0;
  std::optional<SpkiHash> key;  // of that certificate
  std::uint32_t attempts = 0;   // that ended before this one
  bool may_be_there = false;    // an earlier attempt may have reached the other side
  std::string body;
};

// What came of one claimed message.
struct OutboxSettlement {
  RowId row = 0;
  OutboxState state = OutboxState::waiting;  // waiting (again), delivered, unverified or stopped
  std::uint32_t attempts = 0;
  bool may_be_there = false;
  Instant due_at;    // of `waiting`: not before
  std::string note;  // why, for operators
};

// A message as operators see it.
struct OutboxEntry {
  RowId row = 0;
  OutboxState state = OutboxState::waiting;
  std::string external_id;
  std::uint32_t attempts = 0;
  Instant created_at;
  Instant due_at;
  std::string note;
};

struct OutboxTotals {
  std::uint64_t waiting = 0;
  std::uint64_t sending = 0;
  std::uint64_t unverified = 0;
  std::uint64_t stopped = 0;
  std::optional<Instant> oldest;  // when the oldest that is waiting or being sent was written
};

// What an operator does with messages that the courier cannot get rid of.
struct OutboxOrder {
  enum class Act { retry, drop };
  OutboxChannel channel = OutboxChannel::upstream;
  Act act = Act::retry;
  std::optional<RowId> row;  // one message in any open state; absent: all in `state`
  OutboxState state = OutboxState::stopped;
  Instant at;
  std::string audit_body;
};

class Outbox {
 public:
  virtual ~Outbox() = default;

  // --- the courier -------------------------------------------------------------------------------------------------------------
  // What an ended process was sending is waiting again, marked as perhaps there. How many those were.
  [[nodiscard]] virtual Task<Result<std::uint64_t>> recover(OutboxChannel channel) = 0;
  // When the next waiting message is due; nothing when none waits. Cheap: asked before each claim.
  [[nodiscard]] virtual Result<std::optional<Instant>> next_due(OutboxChannel channel) = 0;
  // At most `limit` of those that are due, marked `sending`: of each device only its oldest, and none of a device that has one on its way.
  [[nodiscard]] virtual Task<Result<std::vector<OutboxMessage>>> claim(OutboxChannel channel, Instant now, std::size_t limit) = 0;
  [[nodiscard]] virtual Task<Status> settle(std::vector<OutboxSettlement> settlements) = 0;

  // An audit record and the message that tells of it, in one transaction; it concerns no device of the registry.
  [[nodiscard]] virtual Task<Status> append_event(std::string audit_body, OutboxDraft draft, Instant at) = 0;

  // --- those who ask ---------------------------------------------------------------------------------------------------------------
  // The message that reports this certificate; nothing when there never was one.
  [[nodiscard]] virtual Result<std::optional<OutboxEntry>> find_message(OutboxChannel channel, RowId certificate) = 0;
  [[nodiscard]] virtual Result<OutboxTotals> outbox_totals(OutboxChannel channel) = 0;
  // Those in `state` with a row after `after`, in their order, at most `limit`.
  [[nodiscard]] virtual Result<std::vector<OutboxEntry>> messages(OutboxChannel channel, OutboxState state, RowId after,
                                                                  std::size_t limit) = 0;
  // How many were moved. `sending` ones are nobody's to move; a retried one is due at once.
  [[nodiscard]] virtual Task<Result<std::uint64_t>> operate(OutboxOrder order) = 0;
};

}  // namespace birthmark::core
