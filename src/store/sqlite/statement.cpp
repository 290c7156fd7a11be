// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/statement.h"

#include "base/file.h"

namespace birthmark::store {
namespace {

std::string_view cause(int code) {
  switch (code & 0xff) {
    case SQLITE_FULL: return "the disk is full";
    case SQLITE_READONLY: return "the database is read-only";
    case SQLITE_IOERR: return "the disk reports an I/O error";
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return "the database is locked by another process";
    case SQLITE_CANTOPEN: return "the database file cannot be opened";
    case SQLITE_CORRUPT: return "the database is damaged";
    case SQLITE_NOTADB: return "the file is not a database";
    case SQLITE_NOMEM: return "out of memory";
    case SQLITE_CONSTRAINT: return "a constraint of the schema refused the change";
    default: return "the database refuses";
  }
}

}  // namespace

Error storage_error(sqlite3* database, int code) {
  Error error{ErrorCode::unavailable, "registry database: " + std::string(cause(code)), {}};
  error.detail = "SQLite " + std::to_string(code) + " " + sqlite3_errstr(code);
  if (database == nullptr) return error;
  error.detail += std::string(": ") + sqlite3_errmsg(database);
  const int system = sqlite3_system_errno(database);
  if (system != 0) error.detail += "; system: " + describe_errno(system);
  return error;
}

Result<Statement> Statement::prepare(sqlite3* database, const char* sql) {
  sqlite3_stmt* handle = nullptr;
  const int code = sqlite3_prepare_v3(database, sql, -1, SQLITE_PREPARE_PERSISTENT, &handle, nullptr);
  if (code != SQLITE_OK) return tl::make_unexpected(storage_error(database, code));
  return Statement(handle);
}

// An empty view may point nowhere, and SQLite reads a null pointer as NULL: give it somewhere to point.
void Statement::bind(int index, std::string_view text) {
  keep(sqlite3_bind_text64(handle_.get(), index, text.empty() ? "" : text.data(), text.size(), SQLITE_STATIC, SQLITE_UTF8));
}

void Statement::bind(int index, ByteView blob) {
  const void* data = blob.empty() ? static_cast<const void*>("") : blob.data();
  keep(sqlite3_bind_blob64(handle_.get(), index, data, blob.size(), SQLITE_STATIC));
}

Error Statement::failure(int code) {
  failure_code_ = code;
  return storage_error(sqlite3_db_handle(handle_.get()), code);
}

Result<bool> Statement::step() {
  if (bind_code_ != SQLITE_OK) return tl::make_unexpected(failure(bind_code_));
  const int code = sqlite3_step(handle_.get());
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  return tl::make_unexpected(failure(sqlite3_extended_errcode(sqlite3_db_handle(handle_.get()))));
}

Status Statement::run() {
  auto row = step();
  reset();
  if (!row) return forward_error(row);
  return {};
}

void Statement::reset() {
  static_cast<void>(sqlite3_reset(handle_.get()));  // repeats the code that step already gave
  bind_code_ = SQLITE_OK;
}

std::string_view Statement::text(int column) const {
  const auto* data = sqlite3_column_text(handle_.get(), column);
  if (data == nullptr) return {};
  return {reinterpret_cast<const char*>(data), static_cast<std::size_t>(sqlite3_column_bytes(handle_.get(), column))};
}

ByteView Statement::blob(int column) const {
  const void* data = sqlite3_column_blob(handle_.get(), column);
  if (data == nullptr) return {};
  return {static_cast<const std::uint8_t*>(data), static_cast<std::size_t>(sqlite3_column_bytes(handle_.get(), column))};
}

}  // namespace birthmark::store
