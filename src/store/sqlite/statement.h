// SPDX-License-Identifier: Apache-2.0
// One prepared statement. Bound bytes are borrowed: they must live until the statement is reset. Used by one thread at a time.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

namespace birthmark::store {

// What SQLite's code means for a caller: always unavailable, with the cause in words in the public message.
[[nodiscard]] Error storage_error(sqlite3* database, int code);

class Statement {
 public:
  [[nodiscard]] static Result<Statement> prepare(sqlite3* database, const char* sql);

  // Resets the statement when it goes out of scope: ends its read transaction and lets go of borrowed bytes.
  class Use {
   public:
    explicit Use(Statement& statement) : statement_(statement) {}
    ~Use() { statement_.reset(); }
    Use(const Use&) = delete;
    Use& operator=(const Use&) = delete;

   private:
    Statement& statement_;
  };

  // Parameters are numbered from 1. A failed bind is reported by the next step.
  void bind(int index, std::int64_t value) { keep(sqlite3_bind_int64(handle_.get(), index, value)); }
  void bind(int index, std::string_view text);
  void bind(int index, ByteView blob);
  void bind_null(int index) { keep(sqlite3_bind_null(handle_.get(), index)); }

  [[nodiscard]] Result<bool> step();  // true: there is a row
  [[nodiscard]] Status run();         // for statements without rows; resets
  void reset();

  // Columns are numbered from 0; views last until the next step or reset.
  [[nodiscard]] bool is_null(int column) const { return sqlite3_column_type(handle_.get(), column) == SQLITE_NULL; }
  [[nodiscard]] bool is_blob(int column) const { return sqlite3_column_type(handle_.get(), column) == SQLITE_BLOB; }
  [[nodiscard]] std::int64_t integer(int column) const { return sqlite3_column_int64(handle_.get(), column); }
  [[nodiscard]] std::string_view text(int column) const;
  [[nodiscard]] ByteView blob(int column) const;

  // The extended result code of the last failure, SQLITE_OK before the first.
  [[nodiscard]] int failure_code() const { return failure_code_; }

 private:
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
  };
  explicit Statement(sqlite3_stmt* handle) : handle_(handle) {}
  void keep(int code) {
    if (code != SQLITE_OK) bind_code_ = code;
  }
  [[nodiscard]] Error failure(int code);

  std::unique_ptr<sqlite3_stmt, Finalize> handle_;
  int bind_code_ = SQLITE_OK;
  int failure_code_ = SQLITE_OK;
};

}  // namespace birthmark::store
