// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/sqlite_orders.h"

#include "store/sqlite/order_rows.h"
#include "store/sqlite/order_sql.h"
#include "store/sqlite/rows.h"
#include "store/sqlite/write_call.h"

namespace birthmark::store {
namespace {

// Every row of a statement, as `read` sees it.
template <class Read>
auto every_row(Statement& row, Read read) -> Result<std::vector<decltype(read(row))>> {
  std::vector<decltype(read(row))> all;
  for (;;) {
    BIRTHMARK_TRY(const bool found, row.step());
    if (!found) return all;
    all.push_back(read(row));
  }
}

}  // namespace

// --- writing -----------------------------------------------------------------------------------------------------------------------

Task<Result<core::OrderRecord>> SqliteOrders::create_order(core::OrderRecord order, std::string audit_body) {
  return write_call<core::OrderRecord>(writer_, [order = std::move(order), audit_body = std::move(audit_body)](Ledger& ledger) {
    return ledger.create_order(order, audit_body);
  });
}

Task<Result<core::OrderRecord>> SqliteOrders::close_order(core::RowId order, std::string audit_body) {
  return write_call<core::OrderRecord>(
      writer_, [order, audit_body = std::move(audit_body)](Ledger& ledger) { return ledger.close_order(order, audit_body); });
}

Task<Result<core::RowId>> SqliteOrders::begin_import(core::RowId order) {
  return write_call<core::RowId>(writer_, [order](Ledger& ledger) { return ledger.begin_import(order); });
}

Task<Result<std::vector<std::size_t>>> SqliteOrders::add_entries(core::RowId import, std::vector<core::OrderEntry> entries) {
  return write_call<std::vector<std::size_t>>(
      writer_, [import, entries = std::move(entries)](Ledger& ledger) { return ledger.add_entries(import, entries); });
}

Task<Result<core::OrderRecord>> SqliteOrders::finish_import(core::RowId import, std::string audit_body) {
  return write_call<core::OrderRecord>(
      writer_, [import, audit_body = std::move(audit_body)](Ledger& ledger) { return ledger.finish_import(import, audit_body); });
}

Task<Result<bool>> SqliteOrders::discard_import(core::RowId import, std::size_t limit) {
  return write_call<bool>(writer_, [import, limit](Ledger& ledger) { return ledger.discard_import(import, limit); });
}

Task<Result<bool>> SqliteOrders::release_unseen(core::DeviceIdentity identity, core::RowId certificate, std::string audit_body) {
  return write_call<bool>(writer_, [identity = std::move(identity), certificate, audit_body = std::move(audit_body)](Ledger& ledger) {
    return ledger.release_unseen(identity, certificate, audit_body);
  });
}

// --- reading -----------------------------------------------------------------------------------------------------------------------

Result<std::vector<core::OrderRecord>> SqliteOrders::orders() {
  return readers_.with(sql::kOrders, [](Statement& row) { return every_row(row, read_order); });
}

Result<core::OrderView> SqliteOrders::view(const core::DeviceIdentity& identity) {
  core::OrderView found;
  const auto factory = writer_.factory_row(identity.factory);
  if (!factory) return found;
  const ExternalIdKey key(identity.external_id);
  BIRTHMARK_TRY(auto claimed, readers_.with(sql::kClaimedOrder, [&](Statement& row) {
    key.bind(row, 1);
    row.bind(2, *factory);
    row.bind(3, static_cast<std::int64_t>(identity.ecosystem));
    return every_row(row, read_order);
  }));
  if (!claimed.empty()) {
    found.claimed = std::move(claimed.front());
    return found;
  }
  BIRTHMARK_TRY(found.offers, readers_.with(sql::kOrdersThatList, [&](Statement& row) {
    key.bind(row, 1);
    row.bind(2, *factory);
    return every_row(row, [&](Statement& listed) {
      core::OrderEntry entry{identity.external_id, std::string(listed.text(kOrderColumns)), std::string(listed.text(kOrderColumns + 1))};
      return core::OrderOffer{read_order(listed), std::move(entry)};
    });
  }));
  BIRTHMARK_TRY(auto for_any, readers_.with(sql::kOpenOrdersForAny, [&](Statement& row) {
    row.bind(1, *factory);
    return every_row(row, read_order);
  }));
  for (core::OrderRecord& order : for_any) found.offers.push_back({std::move(order), std::nullopt});
  return found;
}

Result<std::vector<core::RowId>> SqliteOrders::unfinished_imports(core::RowId order) {
  return readers_.with(sql::kUnfinishedImports, [&](Statement& row) {
    row.bind(1, order);
    return every_row(row, [](Statement& import) { return core::RowId{import.integer(0)}; });
  });
}

Result<std::vector<core::UnseenDevice>> SqliteOrders::unseen(Instant before, const std::string& station, core::RowId after,
                                                             std::size_t limit) {
  return readers_.with(sql::kUnseen, [&](Statement& row) {
    row.bind(1, after);
    row.bind(2, to_unix_ms(before));
    row.bind(3, std::string_view(station));
    row.bind(4, static_cast<std::int64_t>(limit));
    return every_row(row, [](Statement& unseen) {
      core::UnseenDevice device;
      device.certificate = unseen.integer(0);
      device.identity.factory = unseen.text(1);
      device.identity.ecosystem = static_cast<core::Ecosystem>(unseen.integer(2));
      device.identity.external_id = read_external_id(unseen, 3);
      device.station = unseen.text(4);
      device.issued_at = from_unix_ms(unseen.integer(5));
      return device;
    });
  });
}

}  // namespace birthmark::store
