// SPDX-License-Identifier: Apache-2.0
// The read connections. A reader takes one that is free, does one short read transaction and gives it back; the writer is never waited for.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "store/sqlite/connection.h"

namespace birthmark::store {

class ReaderPool {
 public:
  [[nodiscard]] static Result<std::unique_ptr<ReaderPool>> open(const ConnectionOptions& options, unsigned readers);

  // Runs `read` with a statement for `sql`, reset afterwards. T is what `read` puts into its Result.
  template <class Read>
  [[nodiscard]] auto with(const char* sql, Read read) -> decltype(read(std::declval<Statement&>())) {
    Lease lease = take();
    auto connection = usable(lease.reader);
    if (!connection) return forward_error(connection);
    auto statement = (*connection)->prepared(sql);
    if (!statement) {
      lease.reader.connection.reset();
      return forward_error(statement);
    }
    const bool failed_before = (*statement)->failure_code() != SQLITE_OK;
    auto answer = [&] {
      const Statement::Use use(**statement);
      return read(**statement);
    }();
    // A connection that met an I/O error is not trusted again; the next reader opens a fresh one.
    if (!failed_before && (*statement)->failure_code() != SQLITE_OK) lease.reader.connection.reset();
    return answer;
  }

 private:
  struct Reader {
    std::mutex mutex;
    std::unique_ptr<Connection> connection;  // absent after a failure
  };
  struct Lease {
    Reader& reader;
    std::unique_lock<std::mutex> lock;
  };

  explicit ReaderPool(ConnectionOptions options) : options_(std::move(options)) {}
  [[nodiscard]] Lease take();
  [[nodiscard]] Result<Connection*> usable(Reader& reader);

  ConnectionOptions options_;
  std::vector<std::unique_ptr<Reader>> readers_;
};

}  // namespace birthmark::store
