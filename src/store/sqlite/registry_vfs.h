// SPDX-License-Identifier: Apache-2.0
// The layer under every registry. It counts syncs, of commits and checkpoints alike: the only way to know how many fsyncs a registration
// really costs. And it gathers the log's writes: SQLite writes a header and a page at a time, two system calls for each page of a batch,
// though nobody may read any of them before the sync that follows.
#pragma once

#include <atomic>

#include "store/sqlite/sqlite_registry.h"
#include "store/sqlite/vfs_layer.h"

namespace birthmark::store {

class RegistryVfs final : public VfsLayer {
 public:
  // Under a name of its own; `base` is the VFS below. Without syncs (Synchronous::off) there is no moment to write by, so nothing is
  // gathered.
  [[nodiscard]] static Result<std::unique_ptr<RegistryVfs>> create(const std::string& base, Synchronous synchronous);

  [[nodiscard]] std::uint64_t syncs() const { return syncs_.load(std::memory_order_relaxed); }

  void opened(LayerFile& file) override;
  void closing(LayerFile& file) override;
  int read(LayerFile& file, void* to, int size, std::int64_t at) override;
  int write(LayerFile& file, const void* from, int size, std::int64_t at) override;
  int truncate(LayerFile& file, std::int64_t size) override;
  int sync(LayerFile& file, int flags) override;
  int file_size(LayerFile& file, std::int64_t& size) override;

 private:
  RegistryVfs(sqlite3_vfs* base, std::string name, Synchronous synchronous)
      : VfsLayer(base, std::move(name)), gathers_(synchronous == Synchronous::full) {}
  [[nodiscard]] int write_gathered(LayerFile& file);

  bool gathers_;
  std::atomic<std::uint64_t> syncs_{0};
};

}  // namespace birthmark::store
