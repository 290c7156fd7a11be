// SPDX-License-Identifier: Apache-2.0
// The outbox's part of the ledger.
#include "store/sqlite/ledger.h"
#include "store/sqlite/outbox_sql.h"
#include "store/sqlite/rows.h"

namespace birthmark::store {
namespace {

std::int64_t number(auto value) {
  return static_cast<std::int64_t>(value);
}

}  // namespace

Status Ledger::write_messages(core::RowId identity, core::RowId certificate, const core::IssuanceRecord& issuance) {
  for (const core::OutboxDraft& draft : issuance.outbox) {
    BIRTHMARK_TRY(Statement * insert, prepared(sql::kInsertMessage));
    insert->bind(1, number(draft.channel));
    insert->bind(2, identity);
    insert->bind(3, certificate);
    insert->bind(4, to_unix_ms(issuance.issued_at));
    insert->bind(5, std::string_view(draft.body));
    BIRTHMARK_CHECK(run(*insert));
  }
  return {};
}

Status Ledger::append_event(const std::string& audit_body, const core::OutboxDraft& draft, Instant at) {
  BIRTHMARK_TRY(Statement * insert, prepared(sql::kInsertMessage));
  insert->bind(1, number(draft.channel));
  insert->bind_null(2);
  insert->bind_null(3);
  insert->bind(4, to_unix_ms(at));
  insert->bind(5, std::string_view(draft.body));
  BIRTHMARK_CHECK(run(*insert));
  return append_audit(audit_body);
}

Result<bool> Ledger::upstream_may_know(core::RowId identity) {
  BIRTHMARK_TRY(Statement * row, prepared(sql::kUpstreamMayKnow));
  const Statement::Use use(*row);
  row->bind(1, identity);
  return step(*row);
}

// A key that counts no more - replaced, forgotten, denied - is not told of any more: the upstream would make the device with it.
Status Ledger::supersede_messages(core::RowId identity) {
  BIRTHMARK_TRY(Statement * update, prepared(sql::kSupersedeMessages));
  update->bind(1, identity);
  return run(*update);
}

Result<std::uint64_t> Ledger::recover_messages(core::OutboxChannel channel) {
  BIRTHMARK_TRY(Statement * update, prepared(sql::kRecoverMessages));
  update->bind(1, number(channel));
  BIRTHMARK_CHECK(run(*update));
  return static_cast<std::uint64_t>(connection_.changes());
}

Result<std::vector<core::OutboxMessage>> Ledger::claim_messages(core::OutboxChannel channel, Instant now, std::size_t limit) {
  std::vector<core::OutboxMessage> claimed;
  {
    BIRTHMARK_TRY(Statement * row, prepared(sql::kDueMessages));
    const Statement::Use use(*row);
    row->bind(1, number(channel));
    row->bind(2, to_unix_ms(now));
    row->bind(3, number(limit));
    for (;;) {
      BIRTHMARK_TRY(const bool found, step(*row));
      if (!found) break;
      claimed.push_back(read_message(*row));
    }
  }
  for (const core::OutboxMessage& message : claimed) {
    BIRTHMARK_TRY(Statement * update, prepared(sql::kClaimMessage));
    update->bind(1, message.row);
    BIRTHMARK_CHECK(run(*update));
  }
  return claimed;
}

Status Ledger::settle_messages(const std::vector<core::OutboxSettlement>& settlements) {
  for (const core::OutboxSettlement& settlement : settlements) {
    BIRTHMARK_TRY(Statement * update, prepared(sql::kSettleMessage));
    update->bind(1, settlement.row);
    update->bind(2, number(settlement.state));
    update->bind(3, number(settlement.attempts));
    update->bind(4, number(settlement.may_be_there));
    update->bind(5, to_unix_ms(settlement.due_at));
    update->bind(6, std::string_view(settlement.note));
    BIRTHMARK_CHECK(run(*update));
    if (settlement.state != core::OutboxState::delivered) continue;
    BIRTHMARK_TRY(Statement * forget, prepared(sql::kForgetEvent));
    forget->bind(1, settlement.row);
    BIRTHMARK_CHECK(run(*forget));
  }
  return {};
}

Result<std::uint64_t> Ledger::operate_messages(const core::OutboxOrder& order) {
  const bool retry = order.act == core::OutboxOrder::Act::retry;
  const char* const one = retry ? sql::kRetryMessage : sql::kDropMessage;
  const char* const all = retry ? sql::kRetryMessages : sql::kDropMessages;
  BIRTHMARK_TRY(Statement * update, prepared(order.row ? one : all));
  update->bind(1, number(order.channel));
  update->bind(2, order.row ? *order.row : number(order.state));
  if (retry) update->bind(3, to_unix_ms(order.at));
  BIRTHMARK_CHECK(run(*update));
  const auto moved = static_cast<std::uint64_t>(connection_.changes());
  if (moved > 0) BIRTHMARK_CHECK(append_audit(order.audit_body));
  return moved;
}

}  // namespace birthmark::store
