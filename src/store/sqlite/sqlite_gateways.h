// SPDX-License-Identifier: Apache-2.0
// The Gateways port on the registry's database: writes through its one writer, reads through its pool.
#pragma once

#include "core/ports/gateways.h"
#include "store/sqlite/group_commit.h"
#include "store/sqlite/reader_pool.h"

namespace birthmark::store {

class SqliteGateways final : public core::Gateways {
 public:
  // Both must outlive it.
  SqliteGateways(GroupCommit& writer, ReaderPool& readers) : writer_(writer), readers_(readers) {}

  Result<std::optional<core::GatewayRecord>> newest(const core::DeviceIdentity& identity) override;
  Result<std::vector<core::GatewayRecord>> list(const std::string& factory, core::ListOrder order, core::RowId last,
                                                std::size_t limit) override;
  Result<std::vector<core::GatewayRecord>> unsettled(const std::string& factory) override;
  Task<Result<bool>> settle(core::GatewaySettlement settlement) override;
  Task<Result<std::vector<core::ImportOutcome>>> import(std::vector<core::ImportedGateway> gateways) override;
  Task<Status> annotate(core::DeviceIdentity identity, core::GatewayNote note, Instant at, std::string audit_body) override;

 private:
  GroupCommit& writer_;
  ReaderPool& readers_;
};

}  // namespace birthmark::store
