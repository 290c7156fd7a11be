// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/sync_counting_vfs.h"

#include <sqlite3.h>

#include <cstddef>
#include <new>

namespace birthmark::store {
namespace {

// Our file object; the base VFS's own follows it in the same allocation (szOsFile makes room for both).
struct CountedFile {
  sqlite3_file file;
  SyncCountingVfs* owner;
};
static_assert(sizeof(CountedFile) % alignof(std::max_align_t) == 0);

sqlite3_file* below(sqlite3_file* file) {
  return reinterpret_cast<sqlite3_file*>(reinterpret_cast<CountedFile*>(file) + 1);
}
sqlite3_vfs* below(sqlite3_vfs* vfs) {
  return static_cast<SyncCountingVfs*>(vfs->pAppData)->base();
}

template <auto Method, class... Arguments>
auto pass(sqlite3_file* file, Arguments... arguments) {
  sqlite3_file* base = below(file);
  return (base->pMethods->*Method)(base, arguments...);
}

int sync(sqlite3_file* file, int flags) {
  reinterpret_cast<CountedFile*>(file)->owner->count_sync();
  return pass<&sqlite3_io_methods::xSync>(file, flags);
}

// Method tables by version: a file of an old base must not offer what its base lacks (shared memory is version 2, mapping 3).
sqlite3_io_methods methods(int version) {
  using Methods = sqlite3_io_methods;
  Methods made{};
  made.iVersion = version;
  made.xClose = [](sqlite3_file* f) { return pass<&Methods::xClose>(f); };
  made.xRead = [](sqlite3_file* f, void* to, int size, sqlite3_int64 at) { return pass<&Methods::xRead>(f, to, size, at); };
  made.xWrite = [](sqlite3_file* f, const void* from, int size, sqlite3_int64 at) { return pass<&Methods::xWrite>(f, from, size, at); };
  made.xTruncate = [](sqlite3_file* f, sqlite3_int64 size) { return pass<&Methods::xTruncate>(f, size); };
  made.xSync = sync;
  made.xFileSize = [](sqlite3_file* f, sqlite3_int64* size) { return pass<&Methods::xFileSize>(f, size); };
  made.xLock = [](sqlite3_file* f, int level) { return pass<&Methods::xLock>(f, level); };
  made.xUnlock = [](sqlite3_file* f, int level) { return pass<&Methods::xUnlock>(f, level); };
  made.xCheckReservedLock = [](sqlite3_file* f, int* held) { return pass<&Methods::xCheckReservedLock>(f, held); };
  made.xFileControl = [](sqlite3_file* f, int operation, void* argument) { return pass<&Methods::xFileControl>(f, operation, argument); };
  made.xSectorSize = [](sqlite3_file* f) { return pass<&Methods::xSectorSize>(f); };
  made.xDeviceCharacteristics = [](sqlite3_file* f) { return pass<&Methods::xDeviceCharacteristics>(f); };
  if (version < 2) return made;
  made.xShmMap = [](sqlite3_file* f, int page, int size, int extend, void volatile** to) {
    return pass<&Methods::xShmMap>(f, page, size, extend, to);
  };
  made.xShmLock = [](sqlite3_file* f, int offset, int count, int flags) { return pass<&Methods::xShmLock>(f, offset, count, flags); };
  made.xShmBarrier = [](sqlite3_file* f) { pass<&Methods::xShmBarrier>(f); };
  made.xShmUnmap = [](sqlite3_file* f, int remove) { return pass<&Methods::xShmUnmap>(f, remove); };
  return made;
}

const sqlite3_io_methods kVersion1 = methods(1);
const sqlite3_io_methods kVersion2 = methods(2);

int open_file(sqlite3_vfs* vfs, sqlite3_filename name, sqlite3_file* file, int flags, int* flags_out) {
  auto* counted = new (file) CountedFile{};
  counted->owner = static_cast<SyncCountingVfs*>(vfs->pAppData);
  const int code = below(vfs)->xOpen(below(vfs), name, below(file), flags, flags_out);
  if (below(file)->pMethods != nullptr) counted->file.pMethods = below(file)->pMethods->iVersion >= 2 ? &kVersion2 : &kVersion1;
  return code;
}

}  // namespace

Result<std::unique_ptr<SyncCountingVfs>> SyncCountingVfs::create(const std::string& base) {
  sqlite3_vfs* found = sqlite3_vfs_find(base.empty() ? nullptr : base.c_str());
  if (found == nullptr) return fail(ErrorCode::misconfigured, "there is no SQLite VFS named " + base);
  std::unique_ptr<SyncCountingVfs> made(new SyncCountingVfs(found));
  if (sqlite3_vfs_register(made->vfs_.get(), 0) != SQLITE_OK) return fail(ErrorCode::internal, "cannot register the counting VFS");
  return made;
}

SyncCountingVfs::SyncCountingVfs(sqlite3_vfs* base) : base_(base), vfs_(std::make_unique<sqlite3_vfs>(*base)) {
  static std::atomic<unsigned> made{0};
  name_ = "birthmark-" + std::to_string(++made);
  vfs_->iVersion = 2;  // without the system call table, which belongs to the base alone
  vfs_->szOsFile = static_cast<int>(sizeof(CountedFile)) + base->szOsFile;
  vfs_->pNext = nullptr;
  vfs_->zName = name_.c_str();
  vfs_->pAppData = this;
  vfs_->xOpen = open_file;
  vfs_->xDelete = [](sqlite3_vfs* v, const char* name, int sync_directory) { return below(v)->xDelete(below(v), name, sync_directory); };
  vfs_->xAccess = [](sqlite3_vfs* v, const char* name, int flags, int* result) { return below(v)->xAccess(below(v), name, flags, result); };
  vfs_->xFullPathname = [](sqlite3_vfs* v, const char* name, int size, char* to) {
    return below(v)->xFullPathname(below(v), name, size, to);
  };
  vfs_->xDlOpen = nullptr;  // no extensions are ever loaded
  vfs_->xDlError = nullptr;
  vfs_->xDlSym = nullptr;
  vfs_->xDlClose = nullptr;
  vfs_->xRandomness = [](sqlite3_vfs* v, int size, char* to) { return below(v)->xRandomness(below(v), size, to); };
  vfs_->xSleep = [](sqlite3_vfs* v, int microseconds) { return below(v)->xSleep(below(v), microseconds); };
  vfs_->xCurrentTime = [](sqlite3_vfs* v, double* now) { return below(v)->xCurrentTime(below(v), now); };
  vfs_->xGetLastError = [](sqlite3_vfs* v, int size, char* to) { return below(v)->xGetLastError(below(v), size, to); };
  vfs_->xCurrentTimeInt64 = [](sqlite3_vfs* v, sqlite3_int64* now) { return below(v)->xCurrentTimeInt64(below(v), now); };
}

SyncCountingVfs::~SyncCountingVfs() {
  sqlite3_vfs_unregister(vfs_.get());
}

}  // namespace birthmark::store
