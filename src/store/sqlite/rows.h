// SPDX-License-Identifier: Apache-2.0
// Between table rows and the port's types. The column order of each reader is that of its statement in sql.h.
#pragma once

#include <string_view>

#include "base/text.h"
#include "core/ports/outbox.h"
#include "core/ports/registry.h"
#include "store/sqlite/statement.h"

namespace birthmark::store {

// How an external id is stored: a lower-case UUID as its 16 bytes (so that the one random index stays narrow), all else as text.
class ExternalIdKey {
 public:
  explicit ExternalIdKey(std::string_view external_id);
  void bind(Statement& statement, int index) const;

 private:
  std::string_view text_;
  std::optional<Uuid> uuid_;
};

[[nodiscard]] std::optional<Instant> read_optional_instant(Statement& row, int column);
void bind_optional_instant(Statement& statement, int index, const std::optional<Instant>& at);
[[nodiscard]] std::string read_external_id(Statement& row, int column);
[[nodiscard]] core::DeviceRecord read_device(Statement& row, const core::DeviceIdentity& identity);
[[nodiscard]] core::DeviceSummary read_summary(Statement& row);
[[nodiscard]] core::AuthorityRecord read_authority(Statement& row);
[[nodiscard]] core::OutboxMessage read_message(Statement& row);
[[nodiscard]] core::OutboxEntry read_entry(Statement& row);

// The audit's key: stream and sequence in one ascending integer.
inline constexpr int kSequenceBits = 40;
[[nodiscard]] inline std::int64_t audit_position(std::uint32_t stream, std::uint64_t sequence) {
  return static_cast<std::int64_t>((static_cast<std::uint64_t>(stream) << kSequenceBits) | sequence);
}
[[nodiscard]] inline std::uint64_t audit_sequence(std::int64_t position) {
  return static_cast<std::uint64_t>(position) & ((std::uint64_t{1} << kSequenceBits) - 1);
}
inline constexpr std::uint64_t kLastSequence = (std::uint64_t{1} << kSequenceBits) - 1;
inline constexpr std::uint32_t kAuditStream = 1;  // the one stream that this writer appends to

}  // namespace birthmark::store
