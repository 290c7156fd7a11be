// SPDX-License-Identifier: Apache-2.0
// Counts the syncs of one registry, of commits and checkpoints alike: the only way to know how many fsyncs a registration really costs.
#pragma once

#include <atomic>

#include "store/sqlite/vfs_layer.h"

namespace birthmark::store {

class SyncCountingVfs final : public VfsLayer {
 public:
  // Under a name of its own; `base` is the VFS below.
  [[nodiscard]] static Result<std::unique_ptr<SyncCountingVfs>> create(const std::string& base);

  [[nodiscard]] std::uint64_t syncs() const { return syncs_.load(std::memory_order_relaxed); }
  int sync(LayerFile& file, int flags) override;

 private:
  using VfsLayer::VfsLayer;
  std::atomic<std::uint64_t> syncs_{0};
};

}  // namespace birthmark::store
