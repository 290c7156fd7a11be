// SPDX-License-Identifier: Apache-2.0
// A backup is one SQLite file: the registry as it was in one moment, and beside its tables the files that belong to it. Taken while a
// server writes; it needs no lock but SQLite's own. Used by `birthmark backup` and `birthmark restore`.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <vector>

#include "base/result.h"
#include "core/audit.h"

namespace birthmark::store {

// A file below the server's directory.
struct BackupFile {
  std::string name;  // "keys/tls.key": no "..", no leading slash
  mode_t mode = 0600;
  std::string contents;
};

struct Backup {
  std::string factory;
  std::string created_at;
  core::AuditHead head;  // of the registry inside
  std::vector<BackupFile> files;
};

// Copies `database` and `files` into `destination`, mode 0600, which must not be there yet; appears whole or not at all. Answers what it
// holds, with the audit head of the copy.
[[nodiscard]] Result<Backup> write_backup(const std::filesystem::path& database, const std::filesystem::path& destination, Backup backup);

// Checks the file from its first page to its last; invalid when it is damaged or no backup.
[[nodiscard]] Result<Backup> read_backup(const std::filesystem::path& file);

// Makes `database` of the registry inside; it must not be there yet.
[[nodiscard]] Status restore_database(const std::filesystem::path& file, const std::filesystem::path& database);

}  // namespace birthmark::store
