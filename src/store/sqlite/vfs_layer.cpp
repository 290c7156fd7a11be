// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/vfs_layer.h"

#include <new>

namespace birthmark::store {
namespace {

using Methods = sqlite3_io_methods;

LayerFile& layered(sqlite3_file* file) {
  return *reinterpret_cast<LayerFile*>(file);
}
VfsLayer& layer_of(sqlite3_vfs* vfs) {
  return *static_cast<VfsLayer*>(vfs->pAppData);
}
sqlite3_vfs* below(sqlite3_vfs* vfs) {
  return layer_of(vfs).base();
}

template <auto Method, class... Arguments>
auto pass(sqlite3_file* file, Arguments... arguments) {
  sqlite3_file* base = layered(file).below();
  return (base->pMethods->*Method)(base, arguments...);
}

int close_file(sqlite3_file* file) {
  layered(file).layer->closing(layered(file));
  return pass<&Methods::xClose>(file);
}

// Version 2 has shared memory, which WAL needs. Not version 3: a mapped page would be read past the layer.
Methods methods(int version) {
  Methods made{};
  made.iVersion = version;
  made.xClose = close_file;
  made.xRead = [](sqlite3_file* f, void* to, int size, sqlite3_int64 at) { return layered(f).layer->read(layered(f), to, size, at); };
  made.xWrite = [](sqlite3_file* f, const void* from, int size, sqlite3_int64 at) {
    return layered(f).layer->write(layered(f), from, size, at);
  };
  made.xTruncate = [](sqlite3_file* f, sqlite3_int64 size) { return layered(f).layer->truncate(layered(f), size); };
  made.xSync = [](sqlite3_file* f, int flags) { return layered(f).layer->sync(layered(f), flags); };
  made.xFileSize = [](sqlite3_file* f, sqlite3_int64* size) {
    std::int64_t found = 0;
    const int code = layered(f).layer->file_size(layered(f), found);
    *size = found;
    return code;
  };
  made.xLock = [](sqlite3_file* f, int level) { return pass<&Methods::xLock>(f, level); };
  made.xUnlock = [](sqlite3_file* f, int level) { return pass<&Methods::xUnlock>(f, level); };
  made.xCheckReservedLock = [](sqlite3_file* f, int* held) { return pass<&Methods::xCheckReservedLock>(f, held); };
  made.xFileControl = [](sqlite3_file* f, int operation, void* argument) {
    return layered(f).layer->control(layered(f), operation, argument);
  };
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

const Methods kWithoutSharedMemory = methods(1);
const Methods kWithSharedMemory = methods(2);

int open_file(sqlite3_vfs* vfs, sqlite3_filename name, sqlite3_file* file, int flags, int* flags_out) {
  auto* made = new (file) LayerFile{};
  made->layer = &layer_of(vfs);
  made->name = name;
  made->own = nullptr;
  const int code = below(vfs)->xOpen(below(vfs), name, made->below(), flags, flags_out);
  const sqlite3_io_methods* found = made->below()->pMethods;
  if (found == nullptr) return code;
  made->file.pMethods = found->iVersion >= 2 ? &kWithSharedMemory : &kWithoutSharedMemory;
  made->layer->opened(*made);
  return code;
}

int delete_file(sqlite3_vfs* vfs, const char* name, int sync_directory) {
  const int code = below(vfs)->xDelete(below(vfs), name, sync_directory);
  layer_of(vfs).deleted(name);
  return code;
}

}  // namespace

VfsLayer::VfsLayer(sqlite3_vfs* base, std::string name) : base_(base), name_(std::move(name)), vfs_(std::make_unique<sqlite3_vfs>(*base)) {
  vfs_->iVersion = 2;  // without the system call table, which belongs to the base alone
  vfs_->szOsFile = static_cast<int>(sizeof(LayerFile)) + base->szOsFile;
  vfs_->pNext = nullptr;
  vfs_->zName = name_.c_str();
  vfs_->pAppData = this;
  install_calls();
}

VfsLayer::~VfsLayer() {
  sqlite3_vfs_unregister(vfs_.get());
}

void VfsLayer::install_calls() {
  vfs_->xOpen = open_file;
  vfs_->xDelete = delete_file;
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

Status VfsLayer::enlist() {
  if (sqlite3_vfs_register(vfs_.get(), 0) == SQLITE_OK) return {};
  return fail(ErrorCode::internal, "SQLite does not take the VFS " + name_);
}

Result<sqlite3_vfs*> VfsLayer::find_base(const std::string& name) {
  sqlite3_vfs* found = sqlite3_vfs_find(name.empty() ? nullptr : name.c_str());
  if (found == nullptr) return fail(ErrorCode::misconfigured, "there is no SQLite VFS named '" + name + "'");
  return found;
}

void VfsLayer::opened(LayerFile&) {}
void VfsLayer::closing(LayerFile&) {}
void VfsLayer::deleted(const char*) {}

int VfsLayer::read(LayerFile& file, void* to, int size, std::int64_t at) {
  return pass<&Methods::xRead>(&file.file, to, size, at);
}
int VfsLayer::write(LayerFile& file, const void* from, int size, std::int64_t at) {
  return pass<&Methods::xWrite>(&file.file, from, size, at);
}
int VfsLayer::truncate(LayerFile& file, std::int64_t size) {
  return pass<&Methods::xTruncate>(&file.file, size);
}
int VfsLayer::sync(LayerFile& file, int flags) {
  return pass<&Methods::xSync>(&file.file, flags);
}
int VfsLayer::file_size(LayerFile& file, std::int64_t& size) {
  sqlite3_int64 found = 0;
  const int code = pass<&Methods::xFileSize>(&file.file, &found);
  size = found;
  return code;
}
int VfsLayer::control(LayerFile& file, int operation, void* argument) {
  return pass<&Methods::xFileControl>(&file.file, operation, argument);
}

}  // namespace birthmark::store
