// SPDX-License-Identifier: Apache-2.0
#include "power_cut_vfs.h"

#include <algorithm>
#include <cstring>

namespace birthmark::testing {

using store::LayerFile;

Result<std::unique_ptr<PowerCutVfs>> PowerCutVfs::create(const std::string& name, unsigned leak_percent) {
  BIRTHMARK_TRY(sqlite3_vfs * base, find_base(""));
  std::unique_ptr<PowerCutVfs> vfs(new PowerCutVfs(base, name, leak_percent));
  BIRTHMARK_CHECK(vfs->enlist());
  return vfs;
}

// Null for temporary files, which nobody misses after a power cut.
PowerCutVfs::Overlay* PowerCutVfs::overlay(const LayerFile& file) {
  if (file.name == nullptr) return nullptr;
  const auto found = overlays_.find(file.name);
  return found == overlays_.end() ? nullptr : &found->second;
}

void PowerCutVfs::opened(LayerFile& file) {
  if (file.name == nullptr) return;
  const std::lock_guard held(mutex_);
  Overlay& mine = overlays_[file.name];
  if (mine.open_files++ > 0) return;
  std::int64_t size = 0;
  BIRTHMARK_ASSERT(VfsLayer::file_size(file, size) == SQLITE_OK);
  mine.contents.resize(static_cast<std::size_t>(size));
  if (size > 0) BIRTHMARK_ASSERT(VfsLayer::read(file, mine.contents.data(), static_cast<int>(size), 0) == SQLITE_OK);
}

// An orderly end is no power cut: the last one out writes everything down.
void PowerCutVfs::closing(LayerFile& file) {
  const std::lock_guard held(mutex_);
  Overlay* mine = overlay(file);
  if (mine == nullptr || --mine->open_files > 0) return;
  for (const Range& range : mine->unsynced) static_cast<void>(write_below(file, *mine, range));
  static_cast<void>(VfsLayer::truncate(file, static_cast<std::int64_t>(mine->contents.size())));
  overlays_.erase(file.name);
}

void PowerCutVfs::deleted(const char* name) {
  const std::lock_guard held(mutex_);
  overlays_.erase(name);
}

int PowerCutVfs::read(LayerFile& file, void* to, int size, std::int64_t at) {
  const std::lock_guard held(mutex_);
  const Overlay* mine = overlay(file);
  if (mine == nullptr) return VfsLayer::read(file, to, size, at);
  const auto from = std::min(static_cast<std::size_t>(at), mine->contents.size());
  const std::size_t there = std::min(static_cast<std::size_t>(size), mine->contents.size() - from);
  if (there > 0) std::memcpy(to, mine->contents.data() + from, there);
  if (there == static_cast<std::size_t>(size)) return SQLITE_OK;
  std::memset(static_cast<std::uint8_t*>(to) + there, 0, static_cast<std::size_t>(size) - there);
  return SQLITE_IOERR_SHORT_READ;
}

int PowerCutVfs::write(LayerFile& file, const void* from, int size, std::int64_t at) {
  const std::lock_guard held(mutex_);
  Overlay* mine = overlay(file);
  if (mine == nullptr) return VfsLayer::write(file, from, size, at);
  const Range written{static_cast<std::size_t>(at), static_cast<std::size_t>(size)};
  if (mine->contents.size() < written.at + written.size) mine->contents.resize(written.at + written.size);
  std::memcpy(mine->contents.data() + written.at, from, written.size);
  mine->unsynced.push_back(written);
  return leak(file, *mine, written);
}

int PowerCutVfs::leak(LayerFile& file, const Overlay& overlay, Range written) {
  if (leak_percent_ == 0) return SQLITE_OK;
  constexpr std::size_t kSector = 512;
  for (std::size_t done = 0; done < written.size; done += kSector) {
    if (random_() % 100 >= leak_percent_) continue;
    const int code = write_below(file, overlay, {written.at + done, std::min(kSector, written.size - done)});
    if (code != SQLITE_OK) return code;
  }
  return SQLITE_OK;
}

int PowerCutVfs::write_below(LayerFile& file, const Overlay& overlay, Range range) {
  const std::size_t end = std::min(range.at + range.size, overlay.contents.size());
  if (range.at >= end) return SQLITE_OK;  // truncated since
  return VfsLayer::write(file, overlay.contents.data() + range.at, static_cast<int>(end - range.at), static_cast<std::int64_t>(range.at));
}

int PowerCutVfs::truncate(LayerFile& file, std::int64_t size) {
  const std::lock_guard held(mutex_);
  Overlay* mine = overlay(file);
  if (mine == nullptr) return VfsLayer::truncate(file, size);
  mine->contents.resize(static_cast<std::size_t>(size));
  return SQLITE_OK;
}

// Everything becomes real. Whether the real disk then has it is of no concern here: the tests end this process, not the machine.
int PowerCutVfs::sync(LayerFile& file, int flags) {
  const std::lock_guard held(mutex_);
  Overlay* mine = overlay(file);
  if (mine == nullptr) return VfsLayer::sync(file, flags);
  for (const Range& range : mine->unsynced) {
    const int code = write_below(file, *mine, range);
    if (code != SQLITE_OK) return code;
  }
  mine->unsynced.clear();
  std::int64_t real_size = 0;
  const int code = VfsLayer::file_size(file, real_size);
  if (code != SQLITE_OK) return code;
  const auto size = static_cast<std::int64_t>(mine->contents.size());
  return real_size == size ? SQLITE_OK : VfsLayer::truncate(file, size);
}

int PowerCutVfs::file_size(LayerFile& file, std::int64_t& size) {
  const std::lock_guard held(mutex_);
  const Overlay* mine = overlay(file);
  if (mine == nullptr) return VfsLayer::file_size(file, size);
  size = static_cast<std::int64_t>(mine->contents.size());
  return SQLITE_OK;
}

int PowerCutVfs::control(LayerFile& file, int operation, void* argument) {
  if (operation == SQLITE_FCNTL_SIZE_HINT) return SQLITE_NOTFOUND;  // would grow the real file
  return VfsLayer::control(file, operation, argument);
}

}  // namespace birthmark::testing
