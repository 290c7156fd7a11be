// SPDX-License-Identifier: Apache-2.0
// The Orders port on the registry's database: writes through its one writer, reads through its pool.
#pragma once

#include "core/ports/orders.h"
#include "store/sqlite/group_commit.h"
#include "store/sqlite/reader_pool.h"

namespace birthmark::store {

class SqliteOrders final : public core::Orders {
 public:
  // Both must outlive it.
  SqliteOrders(GroupCommit& writer, ReaderPool& readers) : writer_(writer), readers_(readers) {}

  Task<Result<core::OrderRecord>> create_order(core::OrderRecord order, std::string audit_body) override;
  Task<Result<core::OrderRecord>> close_order(core::RowId order, std::string audit_body) override;
  Result<std::vector<core::OrderRecord>> orders() override;
  Result<core::OrderView> view(const core::DeviceIdentity& identity) override;

  Task<Result<core::RowId>> begin_import(core::RowId order) override;
  Task<Result<std::vector<std::size_t>>> add_entries(core::RowId import, std::vector<core::OrderEntry> entries) override;
  Task<Result<core::OrderRecord>> finish_import(core::RowId import, std::string audit_body) override;
  Task<Result<bool>> discard_import(core::RowId import, std::size_t limit) override;
  Result<std::vector<core::RowId>> unfinished_imports(core::RowId order) override;

  Result<std::vector<core::UnseenDevice>> unseen(Instant before, const std::string& station, core::RowId after, std::size_t limit) override;
  Task<Result<bool>> release_unseen(core::DeviceIdentity identity, core::RowId certificate, std::string audit_body) override;

 private:
  GroupCommit& writer_;
  ReaderPool& readers_;
};

}  // namespace birthmark::store
