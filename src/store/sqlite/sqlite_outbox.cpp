// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/sqlite_outbox.h"

#include "store/registry_rules.h"
#include "store/sqlite/outbox_sql.h"
#include "store/sqlite/rows.h"
#include "store/sqlite/write_call.h"

namespace birthmark::store {

Task<Result<std::uint64_t>> SqliteOutbox::recover(core::OutboxChannel channel) {
  return write_call<std::uint64_t>(writer_, [channel](Ledger& ledger) { return ledger.recover_messages(channel); });
}

Task<Result<std::vector<core::OutboxMessage>>> SqliteOutbox::claim(core::OutboxChannel channel, Instant now, std::size_t limit) {
  return write_call<std::vector<core::OutboxMessage>>(
      writer_, [channel, now, limit](Ledger& ledger) { return ledger.claim_messages(channel, now, limit); });
}

Task<Status> SqliteOutbox::settle(std::vector<core::OutboxSettlement> settlements) {
  return write_call<void>(writer_, [settlements = std::move(settlements)](Ledger& ledger) { return ledger.settle_messages(settlements); });
}

Task<Result<std::uint64_t>> SqliteOutbox::operate(core::OutboxOrder order) {
  return write_call<std::uint64_t>(writer_, [order = std::move(order)](Ledger& ledger) { return ledger.operate_messages(order); });
}

Task<Status> SqliteOutbox::append_event(std::string audit_body, core::OutboxDraft draft, Instant at) {
  return write_call<void>(writer_, [audit_body = std::move(audit_body), draft = std::move(draft), at](Ledger& ledger) {
    return ledger.append_event(audit_body, draft, at);
  });
}

Result<std::optional<Instant>> SqliteOutbox::next_due(core::OutboxChannel channel) {
  return readers_.with(sql::kNextDue, [&](Statement& row) -> Result<std::optional<Instant>> {
    row.bind(1, static_cast<std::int64_t>(channel));
    BIRTHMARK_TRY(const bool found, row.step());
    if (!found) return std::nullopt;
    return from_unix_ms(row.integer(0));
  });
}

Result<std::optional<core::OutboxEntry>> SqliteOutbox::find_message(core::OutboxChannel channel, core::RowId certificate) {
  return readers_.with(sql::kFindMessage, [&](Statement& row) -> Result<std::optional<core::OutboxEntry>> {
    row.bind(1, static_cast<std::int64_t>(channel));
    row.bind(2, certificate);
    BIRTHMARK_TRY(const bool found, row.step());
    if (!found) return std::nullopt;
    return read_entry(row);
  });
}

Result<core::OutboxTotals> SqliteOutbox::outbox_totals(core::OutboxChannel channel) {
  return readers_.with(sql::kCountMessages, [&](Statement& row) -> Result<core::OutboxTotals> {
    row.bind(1, static_cast<std::int64_t>(channel));
    core::OutboxTotals totals;
    for (;;) {
      BIRTHMARK_TRY(const bool found, row.step());
      if (!found) return totals;
      add_to(totals, static_cast<core::OutboxState>(row.integer(0)), static_cast<std::uint64_t>(row.integer(1)),
             from_unix_ms(row.integer(2)));
    }
  });
}

Result<std::vector<core::OutboxEntry>> SqliteOutbox::messages(core::OutboxChannel channel, core::OutboxState state, core::RowId after,
                                                              std::size_t limit) {
  return readers_.with(sql::kListMessages, [&](Statement& row) -> Result<std::vector<core::OutboxEntry>> {
    row.bind(1, static_cast<std::int64_t>(channel));
    row.bind(2, static_cast<std::int64_t>(state));
    row.bind(3, after);
    row.bind(4, static_cast<std::int64_t>(limit));
    std::vector<core::OutboxEntry> page;
    for (;;) {
      BIRTHMARK_TRY(const bool found, row.step());
      if (!found) return page;
      page.push_back(read_entry(row));
    }
  });
}

}  // namespace birthmark::store
