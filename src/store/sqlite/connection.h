// SPDX-License-Identifier: Apache-2.0
// One connection to the database, set up the one way this project uses SQLite, with its prepared statements. Not thread-safe:
// whoever owns one serialises its use.
#pragma once

#include <sqlite3.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "store/sqlite/sqlite_registry.h"
#include "store/sqlite/statement.h"

namespace birthmark::store {

struct ConnectionOptions {
  std::string path;
  std::string vfs;
  Synchronous synchronous = Synchronous::full;
  std::size_t cache_bytes = 1U << 20U;
  int busy_timeout_ms = 2000;
};

class Connection {
 public:
  // The file must exist (it may be empty): SQLite would choose the mode of one that it makes.
  [[nodiscard]] static Result<Connection> open(const ConnectionOptions& options);

  [[nodiscard]] Status execute(const char* sql);  // any number of statements, rows thrown away
  // The statement for one of the constants of sql.h, prepared at first use and kept. Recognised by its address.
  [[nodiscard]] Result<Statement*> prepared(const char* sql);

  [[nodiscard]] bool in_transaction() const { return sqlite3_get_autocommit(handle_.get()) == 0; }
  [[nodiscard]] std::int64_t last_row() const { return sqlite3_last_insert_rowid(handle_.get()); }
  [[nodiscard]] std::int64_t changes() const { return sqlite3_changes64(handle_.get()); }
  [[nodiscard]] sqlite3* handle() const { return handle_.get(); }

 private:
  struct Close {
    void operator()(sqlite3* database) const { sqlite3_close_v2(database); }
  };
  explicit Connection(sqlite3* handle) : handle_(handle) {}

  std::unique_ptr<sqlite3, Close> handle_;
  std::vector<std::pair<const char*, std::unique_ptr<Statement>>> statements_;  // destroyed before handle_
};

}  // namespace birthmark::store
