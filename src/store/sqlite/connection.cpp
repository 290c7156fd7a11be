// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/connection.h"

#include "store/sqlite/sql.h"

namespace birthmark::store {

Result<Connection> Connection::open(const ConnectionOptions& options) {
  sqlite3* handle = nullptr;
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  const int code = sqlite3_open_v2(options.path.c_str(), &handle, flags, options.vfs.empty() ? nullptr : options.vfs.c_str());
  Connection connection(handle);
  if (code != SQLITE_OK) {
    Error error = storage_error(handle, code);
    error.detail += "; file: " + options.path;
    return tl::make_unexpected(std::move(error));
  }
  sqlite3_busy_timeout(handle, options.busy_timeout_ms);
  // A damaged or hostile file must not run code of its own through our statements.
  sqlite3_db_config(handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  BIRTHMARK_CHECK(connection.execute(sql::kPragmas));
  BIRTHMARK_CHECK(connection.execute(options.synchronous == Synchronous::full ? sql::kSynchronousFull : sql::kSynchronousOff));
  const auto cache = "PRAGMA cache_size=-" + std::to_string(std::max<std::size_t>(options.cache_bytes / 1024, 64));
  BIRTHMARK_CHECK(connection.execute(cache.c_str()));
  return connection;
}

Status Connection::execute(const char* sql) {
  const int code = sqlite3_exec(handle_.get(), sql, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return tl::make_unexpected(storage_error(handle_.get(), code));
  return {};
}

Result<Statement*> Connection::prepared(const char* sql) {
  for (auto& [text, statement] : statements_)
    if (text == sql) return statement.get();
  BIRTHMARK_TRY(auto statement, Statement::prepare(handle_.get(), sql));
  statements_.emplace_back(sql, std::make_unique<Statement>(std::move(statement)));
  return statements_.back().second.get();
}

}  // namespace birthmark::store
