// SPDX-License-Identifier: Apache-2.0
// The FieldLog and KeyChanges ports on the registry's database: writes through its one writer, reads through its pool.
#pragma once

#include <atomic>

#include "core/ports/field_log.h"
#include "core/ports/key_changes.h"
#include "store/sqlite/group_commit.h"
#include "store/sqlite/reader_pool.h"

namespace birthmark::store {

class SqliteField final : public core::FieldLog, public core::KeyChanges {
 public:
  // Both must outlive it.
  SqliteField(GroupCommit& writer, ReaderPool& readers) : writer_(writer), readers_(readers) {}

  Task<Result<core::FieldEntry>> append(core::FieldAppend append) override;
  void note(core::FieldAppend append) override;
  void note_contacts(std::vector<core::Contact> contacts) override;
  Result<std::vector<core::FieldEntry>> newest(const core::FieldKey& key, std::size_t limit) override;
  Result<std::vector<std::string>> kinds(const std::string& factory, const std::string& owner, const std::string& prefix,
                                         std::size_t limit) override;
  std::uint64_t generation() const override { return generation_.load(std::memory_order_acquire); }

  Task<Result<core::RecordOutcome>> record_pending(core::IssuanceRecord issuance, core::Preconditions preconditions) override;
  Task<Result<core::RecordOutcome>> promote(core::DeviceIdentity identity, core::PendingKey pending, core::Preconditions preconditions,
                                            Instant at, std::string audit_body) override;
  Result<std::optional<core::PendingKey>> pending_key(const core::DeviceIdentity& identity) override;

 private:
  GroupCommit& writer_;
  ReaderPool& readers_;
  std::atomic<std::uint64_t> generation_{1};
};

}  // namespace birthmark::store
