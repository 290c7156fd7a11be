// SPDX-License-Identifier: Apache-2.0
// Moves what the write-ahead log holds into the database file, on a thread of its own, so that no registration pays for it.
#pragma once

#include <condition_variable>
#include <mutex>
#include <thread>

#include "store/sqlite/connection.h"
#include "store/sqlite/group_commit.h"

namespace birthmark::store {

class Checkpointer {
 public:
  // Looks at the log every kLookEvery, and copies when it is long or when it is old.
  Checkpointer(Connection connection, GroupCommit& writer);
  ~Checkpointer();
  Checkpointer(const Checkpointer&) = delete;
  Checkpointer& operator=(const Checkpointer&) = delete;

 private:
  void work();
  void checkpoint();
  // Copies what no reader needs in the log; what is left over afterwards, in pages.
  [[nodiscard]] int copy_pages();

  Connection connection_;
  GroupCommit& writer_;
  std::uint64_t commits_copied_ = 0;  // what was committed when the log was last copied whole
  std::mutex mutex_;
  std::condition_variable stop_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace birthmark::store
