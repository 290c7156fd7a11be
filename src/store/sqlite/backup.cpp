// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/backup.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>

#include "base/file.h"
#include "store/sqlite/backup_sql.h"
#include "store/sqlite/connection.h"
#include "store/sqlite/rows.h"
#include "store/sqlite/sql.h"

namespace birthmark::store {
namespace {

namespace fs = std::filesystem;

Result<Connection> open_file(const fs::path& path) {
  ConnectionOptions options;
  options.path = path.string();
  options.busy_timeout_ms = 30'000;
  return Connection::open(options);
}

Status make_empty_file(const fs::path& path) {
  const FileDescriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (file.valid()) return {};
  return fail(errno == EEXIST ? ErrorCode::conflict : ErrorCode::misconfigured,
              "cannot make " + path.string() + ": " + describe_errno(errno));
}

// All pages in one read transaction of the source: writers go on meanwhile.
Status copy_pages(Connection& from, Connection& to) {
  sqlite3_backup* copy = sqlite3_backup_init(to.handle(), "main", from.handle(), "main");
  if (copy == nullptr) return tl::make_unexpected(storage_error(to.handle(), sqlite3_extended_errcode(to.handle())));
  const int stepped = sqlite3_backup_step(copy, -1);
  const int finished = sqlite3_backup_finish(copy);
  if (stepped == SQLITE_DONE && finished == SQLITE_OK) return {};
  return tl::make_unexpected(storage_error(to.handle(), stepped == SQLITE_DONE ? finished : stepped));
}

Status put_note(Connection& file, std::string_view name, std::string_view value) {
  BIRTHMARK_TRY(Statement * insert, file.prepared(sql::kInsertBackupNote));
  insert->bind(1, name);
  insert->bind(2, value);
  return insert->run();
}

Status put_files(Connection& file, const Backup& backup) {
  for (const BackupFile& kept : backup.files) {
    BIRTHMARK_TRY(Statement * insert, file.prepared(sql::kInsertBackupFile));
    insert->bind(1, std::string_view(kept.name));
    insert->bind(2, static_cast<std::int64_t>(kept.mode));
    insert->bind(3, as_bytes(kept.contents));
    BIRTHMARK_CHECK(insert->run());
  }
  return {};
}

Result<core::AuditHead> head_of(Connection& file) {
  BIRTHMARK_TRY(Statement * last, file.prepared(sql::kLastAudit));
  const Statement::Use use(*last);
  last->bind(1, audit_position(kAuditStream, 0));
  last->bind(2, audit_position(kAuditStream, kLastSequence));
  BIRTHMARK_TRY(const bool any, last->step());
  core::AuditHead head;
  head.stream = kAuditStream;
  if (!any) return head;
  head.count = audit_sequence(last->integer(0));
  head.hash = Sha256Digest::from(last->blob(1)).value_or(Sha256Digest{});
  return head;
}

// The copy says WAL, like its source; a backup is one file.
Status fill(const fs::path& database, const fs::path& path, Backup& backup) {
  BIRTHMARK_TRY(auto from, open_file(database));
  BIRTHMARK_TRY(auto to, open_file(path));
  BIRTHMARK_CHECK(copy_pages(from, to));
  BIRTHMARK_CHECK(to.execute(sql::kOneFile));
  BIRTHMARK_TRY(backup.head, head_of(to));
  BIRTHMARK_CHECK(to.execute(sql::kBegin));
  BIRTHMARK_CHECK(to.execute(sql::kMakeBackupTables));
  BIRTHMARK_CHECK(put_note(to, "factory", backup.factory));
  BIRTHMARK_CHECK(put_note(to, "created_at", backup.created_at));
  BIRTHMARK_CHECK(put_note(to, "audit_head", core::format_audit_head(backup.head)));
  BIRTHMARK_CHECK(put_files(to, backup));
  return to.execute(sql::kCommit);
}

// A name that stays below the directory it is put into.
bool is_safe_name(const std::string& name) {
  const fs::path path(name);
  if (name.empty() || path.is_absolute() || name.find('\0') != std::string::npos) return false;
  return std::none_of(path.begin(), path.end(), [](const fs::path& part) { return part == ".." || part == "." || part.empty(); });
}

tl::unexpected<Error> no_backup(const fs::path& file, const std::string& why) {
  return fail(ErrorCode::invalid, file.string() + " is no backup of birthmark: " + why);
}

Status check_pages(Connection& connection, const fs::path& file) {
  BIRTHMARK_TRY(Statement * check, connection.prepared(sql::kCheckPages));
  const Statement::Use use(*check);
  auto row = check->step();
  if (!row) return no_backup(file, row.error().describe());
  if (!*row || check->text(0) != "ok") return fail(ErrorCode::invalid, file.string() + " is damaged: " + std::string(check->text(0)));
  return {};
}

Result<std::string> note(Connection& connection, const fs::path& file, std::string_view name) {
  auto select = connection.prepared(sql::kBackupNote);
  if (!select) return no_backup(file, "it has no notes");
  const Statement::Use use(**select);
  (*select)->bind(1, name);
  BIRTHMARK_TRY(const bool found, (*select)->step());
  if (!found) return no_backup(file, "the note '" + std::string(name) + "' is missing");
  return std::string((*select)->text(0));
}

}  // namespace

Result<Backup> write_backup(const fs::path& database, const fs::path& destination, Backup backup) {
  if (fs::exists(destination)) return fail(ErrorCode::conflict, destination.string() + " is there already");
  const fs::path directory = destination.has_parent_path() ? destination.parent_path() : fs::path(".");
  const fs::path partial = directory / ("." + destination.filename().string() + ".partial." + std::to_string(::getpid()));
  BIRTHMARK_CHECK(make_empty_file(partial));
  Status made = fill(database, partial, backup);
  if (made && ::link(partial.c_str(), destination.c_str()) != 0)
    made = fail(ErrorCode::conflict, "cannot make " + destination.string() + ": " + describe_errno(errno));
  ::unlink(partial.c_str());
  if (!made) return forward_error(made);
  BIRTHMARK_CHECK(sync_directory(directory));
  return backup;
}

Result<Backup> read_backup(const fs::path& file) {
  if (!fs::is_regular_file(file)) return fail(ErrorCode::not_found, "there is no file " + file.string());
  auto opened = open_file(file);
  if (!opened) return no_backup(file, opened.error().describe());
  Connection& connection = *opened;
  BIRTHMARK_CHECK(check_pages(connection, file));
  Backup backup;
  BIRTHMARK_TRY(backup.factory, note(connection, file, "factory"));
  BIRTHMARK_TRY(backup.created_at, note(connection, file, "created_at"));
  BIRTHMARK_TRY(const std::string head, note(connection, file, "audit_head"));
  BIRTHMARK_TRY(backup.head, core::parse_audit_head(head));
  BIRTHMARK_TRY(const auto found, head_of(connection));
  if (!(found == backup.head)) return fail(ErrorCode::invalid, file.string() + " was changed: its audit does not end where its note says");
  BIRTHMARK_TRY(Statement * row, connection.prepared(sql::kBackupFiles));
  const Statement::Use use(*row);
  for (;;) {
    BIRTHMARK_TRY(const bool more, row->step());
    if (!more) return backup;
    BackupFile kept;
    kept.name = row->text(0);
    kept.mode = static_cast<mode_t>(row->integer(1)) & 0777U;
    const ByteView contents = row->blob(2);
    kept.contents.assign(reinterpret_cast<const char*>(contents.data()), contents.size());
    if (!is_safe_name(kept.name))
      return fail(ErrorCode::invalid, file.string() + " holds a file that would leave the directory: " + kept.name);
    backup.files.push_back(std::move(kept));
  }
}

Status restore_database(const fs::path& file, const fs::path& database) {
  BIRTHMARK_CHECK(make_empty_file(database));
  BIRTHMARK_TRY(auto from, open_file(file));
  BIRTHMARK_TRY(auto to, open_file(database));
  BIRTHMARK_CHECK(copy_pages(from, to));
  BIRTHMARK_CHECK(to.execute(sql::kDropBackupTables));
  return to.execute(sql::kLoggedAgain);
}

}  // namespace birthmark::store
