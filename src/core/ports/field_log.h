// SPDX-License-Identifier: Apache-2.0
// Port: what devices in the field report and what they are to be given - events, states, configuration - as short logs of documents, each
// under an owner and a kind. Only the newest few of each log are kept. Adapters: the registry's own (store/sqlite, store/memory).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/task.h"
#include "base/time.h"
#include "core/ports/registry.h"

namespace birthmark::core {

struct FieldKey {
  std::string factory;
  std::string owner;  // "factory", "group:NAME", "device:ID"
  std::string kind;   // "config", "events", "system-info", ...

  auto operator<=>(const FieldKey&) const = default;
};

struct FieldEntry {
  RowId row = 0;
  Instant at;
  std::string body;
};

struct FieldAppend {
  FieldKey key;
  std::vector<std::string> bodies;
  Instant at;
  std::size_t keep = 1;  // newest entries of this log; older ones go with the same transaction
  // Each entry is at least one whole second after the newest before it: who sees times in seconds sees every change.
  bool strictly_later = false;
  std::optional<RowId> expected_newest;  // the newest entry must still be this one; 0: none
  std::string audit_body;                // empty: not audited
};

// When a device was last here.
struct Contact {
  RowId device = 0;
  Instant at;
};

class FieldLog {
 public:
  virtual ~FieldLog() = default;

  // The newest entry as it was written. conflict when another one came first.
  [[nodiscard]] virtual Task<Result<FieldEntry>> append(FieldAppend append) = 0;
  // The same for what nobody waits for.
  virtual void note(FieldAppend append) = 0;
  virtual void note_contacts(std::vector<Contact> contacts) = 0;
  // Newest first, at most `limit`.
  [[nodiscard]] virtual Result<std::vector<FieldEntry>> newest(const FieldKey& key, std::size_t limit) = 0;
  // The kinds this owner has that begin with `prefix`, in order, at most `limit`.
  [[nodiscard]] virtual Result<std::vector<std::string>> kinds(const std::string& factory, const std::string& owner,
                                                               const std::string& prefix, std::size_t limit) = 0;
  // Rises with every append of a kind that is `strictly_later`: what was computed from such logs is stale then.
  [[nodiscard]] virtual std::uint64_t generation() const = 0;
};

}  // namespace birthmark::core
