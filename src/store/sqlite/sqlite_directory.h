// SPDX-License-Identifier: Apache-2.0
// The DeviceDirectory port on the registry's database: writes through its one writer, reads through its pool.
#pragma once

#include "core/ports/device_directory.h"
#include "store/sqlite/group_commit.h"
#include "store/sqlite/reader_pool.h"

namespace birthmark::store {

class SqliteDirectory final : public core::DeviceDirectory {
 public:
  // Both must outlive it.
  SqliteDirectory(GroupCommit& writer, ReaderPool& readers) : writer_(writer), readers_(readers) {}

  Result<core::DirectoryPage> page(const core::DirectoryQuery& query) override;
  Result<std::string> owner_of(core::RowId device) override;
  Task<Status> set_owner(core::DeviceIdentity identity, std::string owner, std::string audit_body) override;
  void list_newcomers(std::size_t limit) override;
  Result<std::vector<core::DeviceGroup>> groups(const std::string& factory) override;
  Result<std::optional<core::DeviceGroup>> group(const std::string& factory, const std::string& name) override;
  Task<Result<core::DeviceGroup>> add_group(core::DeviceGroup group, std::string audit_body) override;
  Task<Result<core::DeviceGroup>> change_group(core::DeviceGroup group, core::DeviceGroupChange change, std::string audit_body) override;
  Task<Status> remove_group(std::string factory, std::string name, std::string audit_body) override;

 private:
  [[nodiscard]] Result<core::DirectoryPage> denied_page(const core::DirectoryQuery& query, std::int64_t factory);

  GroupCommit& writer_;
  ReaderPool& readers_;
};

}  // namespace birthmark::store
