// SPDX-License-Identifier: Apache-2.0
// Reads the whole audit chain, recomputes every link, compares it with heads kept outside the database, rebuilds every device's status, key
// and certificate from it and compares the registry's tables. Called by `audit verify`; only reads, also beside a running server.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "core/audit.h"
#include "core/ports/registry.h"

namespace birthmark::core {

enum class AuditFault : std::uint8_t {
  none,
  record_edited,      // its hash does not follow from its body and the record before it
  record_deleted,     // a sequence number is missing
  records_reordered,  // two records changed places
  record_unreadable,  // the hash is right, the body is not one that this program writes
  tail_cut,           // a head outside knows more records, and the tables do too
  older_database,     // a head outside knows more records, the tables do not: a backup was put back
  head_differs,       // a head outside names another hash for the same record: the chain was made anew
  device_differs,     // the table says something else than the audit
  device_missing,     // in the audit, not in the table
  device_unaudited,   // in the table, not in the audit
};
[[nodiscard]] std::string_view to_string(AuditFault fault);

// The first fault that was found, in the order: links, heads, tables.
struct AuditVerdict {
  AuditFault fault = AuditFault::none;
  std::uint64_t sequence = 0;  // the record at fault; 0 where it is a device
  std::string device;          // its external id, where it is a device
  std::string text;            // one sentence for the operator; empty without fault
  AuditHead head;              // of what was read
  std::uint64_t devices = 0;   // compared with the tables

  [[nodiscard]] bool good() const { return fault == AuditFault::none; }
};

// `expected` is what the operator wrote down, `signed_head` what the server signed into its file. `progress` gets the number of records
// read, every 100,000. An error means that the registry could not be read, not that it is at fault.
[[nodiscard]] Result<AuditVerdict> verify_audit(Registry& registry, const X509Codec& codec, std::optional<AuditHead> expected,
                                                std::optional<AuditHead> signed_head,
                                                const std::function<void(std::uint64_t records)>& progress = {});

}  // namespace birthmark::core
