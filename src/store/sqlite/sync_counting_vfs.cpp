// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/sync_counting_vfs.h"

namespace birthmark::store {

Result<std::unique_ptr<SyncCountingVfs>> SyncCountingVfs::create(const std::string& base) {
  static std::atomic<unsigned> made{0};
  BIRTHMARK_TRY(sqlite3_vfs * found, find_base(base));
  std::unique_ptr<SyncCountingVfs> vfs(new SyncCountingVfs(found, "birthmark-" + std::to_string(++made)));
  BIRTHMARK_CHECK(vfs->enlist());
  return vfs;
}

int SyncCountingVfs::sync(LayerFile& file, int flags) {
  syncs_.fetch_add(1, std::memory_order_relaxed);
  return VfsLayer::sync(file, flags);
}

}  // namespace birthmark::store
