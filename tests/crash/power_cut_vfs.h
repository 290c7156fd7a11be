// SPDX-License-Identifier: Apache-2.0
// A disk that forgets: writes stay in this process's memory, where every connection sees them, and reach the real file only when SQLite
// syncs it. SIGKILL is then a power cut that drops everything not synced. File names themselves are made at once.
#pragma once

#include <map>
#include <mutex>
#include <random>
#include <vector>

#include "store/sqlite/vfs_layer.h"

namespace birthmark::testing {

class PowerCutVfs final : public store::VfsLayer {
 public:
  // `leak_percent`: so many of the 512-byte sectors written reach the real file at once, without order, as a disk cache may choose to.
  [[nodiscard]] static Result<std::unique_ptr<PowerCutVfs>> create(const std::string& name, unsigned leak_percent);

  void opened(store::LayerFile& file) override;
  void closing(store::LayerFile& file) override;
  void deleted(const char* name) override;
  int read(store::LayerFile& file, void* to, int size, std::int64_t at) override;
  int write(store::LayerFile& file, const void* from, int size, std::int64_t at) override;
  int truncate(store::LayerFile& file, std::int64_t size) override;
  int sync(store::LayerFile& file, int flags) override;
  int file_size(store::LayerFile& file, std::int64_t& size) override;
  int control(store::LayerFile& file, int operation, void* argument) override;

 private:
  struct Range {
    std::size_t at;
    std::size_t size;
  };
  // What the process believes is in a file.
  struct Overlay {
    std::vector<std::uint8_t> contents;
    std::vector<Range> unsynced;
    unsigned open_files = 0;
  };

  PowerCutVfs(sqlite3_vfs* base, std::string name, unsigned leak_percent) : VfsLayer(base, std::move(name)), leak_percent_(leak_percent) {}
  [[nodiscard]] Overlay* overlay(const store::LayerFile& file);
  [[nodiscard]] int leak(store::LayerFile& file, const Overlay& overlay, Range written);
  [[nodiscard]] int write_below(store::LayerFile& file, const Overlay& overlay, Range range);

  unsigned leak_percent_;
  std::minstd_rand random_;
  std::mutex mutex_;
  std::map<std::string, Overlay> overlays_;
};

}  // namespace birthmark::testing
