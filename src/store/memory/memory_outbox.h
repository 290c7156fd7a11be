// SPDX-License-Identifier: Apache-2.0
// The outbox's rules over a vector. Used by MemoryRegistry under its lock.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/ports/outbox.h"

namespace birthmark::store {

class MemoryOutbox {
 public:
  void add(core::OutboxDraft draft, const core::IssuanceRecord& issuance, core::RowId certificate);
  [[nodiscard]] bool upstream_may_know(const core::DeviceIdentity& identity) const;
  void supersede(const core::DeviceIdentity& identity);

  [[nodiscard]] std::uint64_t recover(core::OutboxChannel channel);
  [[nodiscard]] std::optional<Instant> next_due(core::OutboxChannel channel) const;
  [[nodiscard]] std::vector<core::OutboxMessage> claim(core::OutboxChannel channel, Instant now, std::size_t limit);
  void settle(const std::vector<core::OutboxSettlement>& settlements);
  [[nodiscard]] std::optional<core::OutboxEntry> find(core::OutboxChannel channel, core::RowId certificate) const;
  [[nodiscard]] core::OutboxTotals totals(core::OutboxChannel channel) const;
  [[nodiscard]] std::vector<core::OutboxEntry> list(core::OutboxChannel channel, core::OutboxState state, core::RowId after,
                                                    std::size_t limit) const;
  [[nodiscard]] std::uint64_t operate(const core::OutboxOrder& order);

 private:
  struct Row {
    core::OutboxChannel channel = core::OutboxChannel::upstream;
    core::OutboxState state = core::OutboxState::waiting;
    core::OutboxMessage message;
    Instant created_at;
    Instant due_at;
    std::string note;
    bool forgotten = false;  // a delivered event
  };
  [[nodiscard]] static core::OutboxEntry entry_of(const Row& row);
  [[nodiscard]] bool waits_behind_another(const Row& row) const;

  std::vector<Row> rows_;  // row N is at N - 1
};

}  // namespace birthmark::store
