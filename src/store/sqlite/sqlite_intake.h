// SPDX-License-Identifier: Apache-2.0
// The Intake port on the registry's database, through its one writer.
#pragma once

#include "core/ports/intake.h"
#include "store/sqlite/group_commit.h"

namespace birthmark::store {

class SqliteIntake final : public core::Intake {
 public:
  // It must outlive this.
  explicit SqliteIntake(GroupCommit& writer) : writer_(writer) {}

  Task<Result<std::vector<core::ImportOutcome>>> import_devices(std::vector<core::ImportedDevice> devices) override;

 private:
  GroupCommit& writer_;
};

}  // namespace birthmark::store
