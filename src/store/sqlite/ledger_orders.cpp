// SPDX-License-Identifier: Apache-2.0
// What the calls of the Orders port mean inside a transaction.
#include <array>

#include "store/registry_rules.h"
#include "store/sqlite/ledger.h"
#include "store/sqlite/order_rows.h"
#include "store/sqlite/order_sql.h"
#include "store/sqlite/rows.h"

namespace birthmark::store {

using core::OrderState;
using core::RowId;

Status Ledger::run_numbers(const char* sql, std::int64_t first) {
  BIRTHMARK_TRY(Statement * statement, prepared(sql));
  statement->bind(1, first);
  return run(*statement);
}

Status Ledger::run_numbers(const char* sql, std::int64_t first, std::int64_t second) {
  BIRTHMARK_TRY(Statement * statement, prepared(sql));
  statement->bind(1, first);
  statement->bind(2, second);
  return run(*statement);
}

// --- places ----------------------------------------------------------------------------------------------------------------------------

Result<RowId> Ledger::claim_of(RowId identity) {
  BIRTHMARK_TRY(Statement * row, prepared(sql::kReadClaim));
  const Statement::Use use(*row);
  row->bind(1, identity);
  BIRTHMARK_TRY(const bool found, step(*row));
  return found ? row->integer(0) : RowId{0};
}

Result<bool> Ledger::take_place(RowId identity, RowId order, Instant at, bool& taken) {
  if (identity != 0) {
    BIRTHMARK_TRY(const RowId claim, claim_of(identity));
    if (claim != 0) return true;
  }
  BIRTHMARK_CHECK(run_numbers(sql::kTakePlace, order, to_unix_ms(at)));
  taken = connection_.changes() == 1;
  return taken;
}

Status Ledger::set_claim(RowId identity, RowId order) {
  BIRTHMARK_TRY(Statement * update, prepared(sql::kSetClaim));
  update->bind(1, identity);
  order != 0 ? update->bind(2, order) : update->bind_null(2);
  return run(*update);
}

Result<bool> Ledger::release_unseen(const core::DeviceIdentity& identity, RowId certificate, const std::string& audit_body) {
  BIRTHMARK_TRY(const Standing found, standing(identity));
  const bool unseen = found.identity != 0 && found.status == core::DeviceStatus::active && found.certificate == certificate &&
                      found.delivery == core::Delivery::unanswered;
  if (!unseen) return false;
  BIRTHMARK_CHECK(free_identity(found));
  BIRTHMARK_CHECK(append_audit(audit_body));
  return true;
}

// --- orders ----------------------------------------------------------------------------------------------------------------------------

Result<std::optional<core::OrderRecord>> Ledger::find_order(RowId order) {
  BIRTHMARK_TRY(Statement * row, prepared(sql::kFindOrder));
  const Statement::Use use(*row);
  row->bind(1, order);
  BIRTHMARK_TRY(const bool found, step(*row));
  if (!found) return std::nullopt;
  return read_order(*row);
}

Result<core::OrderRecord> Ledger::create_order(const core::OrderRecord& order, const std::string& audit_body) {
  BIRTHMARK_TRY(const std::int64_t factory, factory_row(order.factory));
  {
    BIRTHMARK_TRY(Statement * taken, prepared(sql::kOrderNameTaken));
    const Statement::Use use(*taken);
    taken->bind(1, factory);
    taken->bind(2, std::string_view(order.name));
    BIRTHMARK_TRY(const bool known, step(*taken));
    if (known) return order_taken(order.name);
  }
  BIRTHMARK_TRY(Statement * insert, prepared(sql::kInsertOrder));
  const std::string hardware_ids = join_lines(order.hardware_ids);
  bind_order(*insert, factory, order, hardware_ids);
  BIRTHMARK_CHECK(run(*insert));
  core::OrderRecord made = order;
  made.row = connection_.last_row();
  if (!audit_body.empty()) BIRTHMARK_CHECK(append_audit(audit_body));
  return made;
}

Result<core::OrderRecord> Ledger::close_order(RowId order, const std::string& audit_body) {
  BIRTHMARK_TRY(auto known, find_order(order));
  if (!known) return unknown_order();
  if (known->state == OrderState::closed) return std::move(*known);
  BIRTHMARK_CHECK(run_numbers(sql::kCloseOrder, order));
  BIRTHMARK_CHECK(append_audit(audit_body));
  known->state = OrderState::closed;
  return std::move(*known);
}

// --- lists -----------------------------------------------------------------------------------------------------------------------------

Result<RowId> Ledger::begin_import(RowId order) {
  BIRTHMARK_TRY(const auto known, find_order(order));
  if (!known) return unknown_order();
  BIRTHMARK_CHECK(run_numbers(sql::kInsertImport, order));
  return connection_.last_row();
}

Result<std::optional<Ledger::Import>> Ledger::unfinished_import(RowId import) {
  BIRTHMARK_TRY(Statement * row, prepared(sql::kFindUnfinishedImport));
  const Statement::Use use(*row);
  row->bind(1, import);
  BIRTHMARK_TRY(const bool found, step(*row));
  if (!found) return std::nullopt;
  return Import{row->integer(0), row->integer(1)};
}

Result<bool> Ledger::insert_entry(RowId import, RowId order, const core::OrderEntry& entry) {
  BIRTHMARK_TRY(Statement * insert, prepared(sql::kInsertEntry));
  const ExternalIdKey key(entry.external_id);
  insert->bind(1, import);
  insert->bind(2, order);
  key.bind(*insert, 3);
  insert->bind(4, std::string_view(entry.name));
  insert->bind(5, std::string_view(entry.hardware_id));
  BIRTHMARK_CHECK(run(*insert));
  return connection_.changes() == 1;
}

Result<std::vector<std::size_t>> Ledger::add_entries(RowId import, const std::vector<core::OrderEntry>& entries) {
  BIRTHMARK_TRY(const auto staged, unfinished_import(import));
  if (!staged) return unknown_import();
  std::vector<std::size_t> refused;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    BIRTHMARK_TRY(const bool added, insert_entry(import, staged->order, entries[i]));
    if (!added) refused.push_back(i);
  }
  BIRTHMARK_CHECK(run_numbers(sql::kCountEntries, import, static_cast<std::int64_t>(entries.size() - refused.size())));
  return refused;
}

Result<core::OrderRecord> Ledger::finish_import(RowId import, const std::string& audit_body) {
  BIRTHMARK_TRY(const auto staged, unfinished_import(import));
  if (!staged) return unknown_import();
  BIRTHMARK_CHECK(run_numbers(sql::kCompleteImport, import));
  BIRTHMARK_CHECK(run_numbers(sql::kOpenWithList, staged->order, staged->entries));
  BIRTHMARK_CHECK(append_audit(audit_body));
  BIRTHMARK_TRY(auto order, find_order(staged->order));
  if (!order) return unknown_order();
  return std::move(*order);
}

Result<bool> Ledger::discard_import(RowId import, std::size_t limit) {
  BIRTHMARK_TRY(const auto staged, unfinished_import(import));
  if (!staged) return true;
  BIRTHMARK_CHECK(run_numbers(sql::kDiscardEntries, import, static_cast<std::int64_t>(limit)));
  if (connection_.changes() == static_cast<std::int64_t>(limit)) return false;
  BIRTHMARK_CHECK(run_numbers(sql::kDeleteImport, import));
  BIRTHMARK_CHECK(run_numbers(sql::kDeleteImportingOrder, staged->order));
  return true;
}

}  // namespace birthmark::store
