// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/sqlite_intake.h"

#include "store/registry_rules.h"
#include "store/sqlite/write_call.h"

namespace birthmark::store {

using core::ImportOutcome;

Task<Result<std::vector<ImportOutcome>>> SqliteIntake::import_devices(std::vector<core::ImportedDevice> devices) {
  return write_call<std::vector<ImportOutcome>>(writer_, [devices = std::move(devices)](Ledger& ledger) { return ledger.import(devices); });
}

// Identities are checked first, so that an error leaves nothing behind.
Result<std::vector<ImportOutcome>> Ledger::import(const std::vector<core::ImportedDevice>& devices) {
  for (const core::ImportedDevice& device : devices) BIRTHMARK_CHECK(check_identity(device.identity));
  std::vector<ImportOutcome> outcomes;
  for (const core::ImportedDevice& device : devices) {
    BIRTHMARK_TRY(const ImportOutcome outcome, import_one(device));
    outcomes.push_back(outcome);
  }
  return outcomes;
}

Result<ImportOutcome> Ledger::import_one(const core::ImportedDevice& device) {
  constexpr core::RowId kNoCertificate = 0;
  BIRTHMARK_TRY(const Standing found, standing(device.identity));
  if (found.identity != 0 && found.status == core::DeviceStatus::denied) return ImportOutcome::denied;
  if (found.key) return found.key == device.key ? ImportOutcome::known : ImportOutcome::another_key;
  core::IssuanceRecord record;
  record.identity = device.identity;
  record.device_id = device.device_id;
  record.name = device.identity.external_id;
  record.station = device.source;
  record.issued_at = device.at;
  BIRTHMARK_TRY(const core::RowId identity, write_identity(found, record));
  BIRTHMARK_CHECK(write_credential(found, identity, device.key, kNoCertificate));
  BIRTHMARK_CHECK(append_audit(device.audit_body));
  raise_clock(device.at);
  return ImportOutcome::imported;
}

}  // namespace birthmark::store
