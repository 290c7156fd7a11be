// SPDX-License-Identifier: Apache-2.0
// The audit's head outside the database: DIR/audit.head, signed by DIR/keys/audit.key. Written after the commit, so it is always a prefix
// of the chain; a database that does not reach it is an older one put back.
#pragma once

#include <filesystem>
#include <optional>

#include "base/result.h"
#include "core/audit.h"
#include "core/ports/clock.h"
#include "core/ports/registry.h"
#include "crypto/private_key.h"

namespace birthmark::app {

class AuditHeadFile {
 public:
  AuditHeadFile(std::filesystem::path path, crypto::PrivateKey key) : path_(std::move(path)), key_(std::move(key)) {}

  // What was last written; nothing when there is no such file. A file whose signature is wrong is an error.
  [[nodiscard]] Result<std::optional<core::AuditHead>> read() const;
  // Writes `head` unless it is what was written last.
  [[nodiscard]] Status write(const core::AuditHead& head, Instant at);
  // conflict, in words for the operator, when the registry's chain does not contain the head in the file.
  [[nodiscard]] Status check(core::Registry& registry) const;

 private:
  const std::filesystem::path path_;
  const crypto::PrivateKey key_;
  std::optional<core::AuditHead> written_;
};

}  // namespace birthmark::app
