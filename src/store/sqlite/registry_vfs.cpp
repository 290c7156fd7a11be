// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/registry_vfs.h"

#include <string_view>

#include "base/bytes.h"

namespace birthmark::store {
namespace {

// SQLite's unix VFS takes less than 128 KiB in one call (os_unix.c masks the size).
constexpr std::size_t kMostGathered = 120U << 10U;

// Writes of one connection to the log that follow each other without a gap. Other connections look at the log only as far as its index
// says, and SQLite moves the index on after the sync.
struct Gathered {
  std::int64_t at = 0;
  Bytes bytes;

  [[nodiscard]] std::int64_t end() const { return at + static_cast<std::int64_t>(bytes.size()); }
};

Gathered* gathered(LayerFile& file) {
  return static_cast<Gathered*>(file.own);
}

}  // namespace

Result<std::unique_ptr<RegistryVfs>> RegistryVfs::create(const std::string& base, Synchronous synchronous) {
  static std::atomic<unsigned> made{0};
  BIRTHMARK_TRY(sqlite3_vfs * found, find_base(base));
  std::unique_ptr<RegistryVfs> vfs(new RegistryVfs(found, "birthmark-" + std::to_string(++made), synchronous));
  BIRTHMARK_CHECK(vfs->enlist());
  return vfs;
}

void RegistryVfs::opened(LayerFile& file) {
  if (gathers_ && file.name != nullptr && std::string_view(file.name).ends_with("-wal")) file.own = new Gathered;
}

// What was never synced belongs to no committed transaction.
void RegistryVfs::closing(LayerFile& file) {
  delete gathered(file);
  file.own = nullptr;
}

int RegistryVfs::write(LayerFile& file, const void* from, int size, std::int64_t at) {
  Gathered* waiting = gathered(file);
  if (waiting == nullptr) return VfsLayer::write(file, from, size, at);
  const bool fits = waiting->bytes.size() + static_cast<std::size_t>(size) <= kMostGathered;
  const bool follows = !waiting->bytes.empty() && at == waiting->end() && fits;
  if (!follows) {
    const int code = write_gathered(file);
    if (code != SQLITE_OK) return code;
    waiting->at = at;
  }
  append(waiting->bytes, {static_cast<const std::uint8_t*>(from), static_cast<std::size_t>(size)});
  return SQLITE_OK;
}

// What could not be written is forgotten: SQLite is told now and rolls back, and must not find its pages on the disk later.
int RegistryVfs::write_gathered(LayerFile& file) {
  Gathered* waiting = gathered(file);
  if (waiting == nullptr || waiting->bytes.empty()) return SQLITE_OK;
  const int code = VfsLayer::write(file, waiting->bytes.data(), static_cast<int>(waiting->bytes.size()), waiting->at);
  waiting->bytes.clear();
  return code;
}

int RegistryVfs::sync(LayerFile& file, int flags) {
  const int code = write_gathered(file);
  if (code != SQLITE_OK) return code;
  syncs_.fetch_add(1, std::memory_order_relaxed);
  return VfsLayer::sync(file, flags);
}

int RegistryVfs::read(LayerFile& file, void* to, int size, std::int64_t at) {
  const int code = write_gathered(file);
  return code == SQLITE_OK ? VfsLayer::read(file, to, size, at) : code;
}

int RegistryVfs::truncate(LayerFile& file, std::int64_t size) {
  const int code = write_gathered(file);
  return code == SQLITE_OK ? VfsLayer::truncate(file, size) : code;
}

int RegistryVfs::file_size(LayerFile& file, std::int64_t& size) {
  const int code = write_gathered(file);
  return code == SQLITE_OK ? VfsLayer::file_size(file, size) : code;
}

}  // namespace birthmark::store
