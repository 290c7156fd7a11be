// SPDX-License-Identifier: Apache-2.0
// A SQLite VFS that passes every call on and counts the syncs: the only way to know how many fsyncs a registration really costs.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "base/result.h"

struct sqlite3_vfs;

namespace birthmark::store {

class SyncCountingVfs {
 public:
  // Registers itself under a name of its own; `base` is the VFS below (empty: SQLite's default). Must outlive its connections.
  [[nodiscard]] static Result<std::unique_ptr<SyncCountingVfs>> create(const std::string& base);
  ~SyncCountingVfs();
  SyncCountingVfs(const SyncCountingVfs&) = delete;
  SyncCountingVfs& operator=(const SyncCountingVfs&) = delete;

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] std::uint64_t syncs() const { return syncs_.load(std::memory_order_relaxed); }

  void count_sync() { syncs_.fetch_add(1, std::memory_order_relaxed); }
  [[nodiscard]] sqlite3_vfs* base() const { return base_; }

 private:
  explicit SyncCountingVfs(sqlite3_vfs* base);

  sqlite3_vfs* base_;
  std::string name_;
  std::unique_ptr<sqlite3_vfs> vfs_;
  std::atomic<std::uint64_t> syncs_{0};
};

}  // namespace birthmark::store
