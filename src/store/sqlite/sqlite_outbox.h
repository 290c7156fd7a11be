// SPDX-License-Identifier: Apache-2.0
// The Outbox port on the registry's database: writes through its one writer, reads through its pool.
#pragma once

#include "core/ports/outbox.h"
#include "store/sqlite/group_commit.h"
#include "store/sqlite/reader_pool.h"

namespace birthmark::store {

class SqliteOutbox final : public core::Outbox {
 public:
  // Both must outlive it.
  SqliteOutbox(GroupCommit& writer, ReaderPool& readers) : writer_(writer), readers_(readers) {}

  Task<Result<std::uint64_t>> recover(core::OutboxChannel channel) override;
  Result<std::optional<Instant>> next_due(core::OutboxChannel channel) override;
  Task<Result<std::vector<core::OutboxMessage>>> claim(core::OutboxChannel channel, Instant now, std::size_t limit) override;
  Task<Status> settle(std::vector<core::OutboxSettlement> settlements) override;
  Task<Status> append_event(std::string audit_body, core::OutboxDraft draft, Instant at) override;
  Result<std::optional<core::OutboxEntry>> find_message(core::OutboxChannel channel, core::RowId certificate) override;
  Result<core::OutboxTotals> outbox_totals(core::OutboxChannel channel) override;
  Result<std::vector<core::OutboxEntry>> messages(core::OutboxChannel channel, core::OutboxState state, core::RowId after,
                                                  std::size_t limit) override;
  Task<Result<std::uint64_t>> operate(core::OutboxOrder order) override;

 private:
  GroupCommit& writer_;
  ReaderPool& readers_;
};

}  // namespace birthmark::store
