// SPDX-License-Identifier: Apache-2.0
// A layer over a SQLite VFS: every call goes on to the VFS below unless a subclass says otherwise. RegistryVfs is one; the crash tests
// have others that lose what was not synced, or fail on cue.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <memory>
#include <string>

#include "base/result.h"

namespace birthmark::store {

class VfsLayer;

// An open file of a layer. The file object of the VFS below follows it in the same allocation, which SQLite aligns to 8 bytes. which SQLite
// aligns to 8 only.
struct LayerFile {
  sqlite3_file file;
  VfsLayer* layer;
  const char* name;  // SQLite's, lives as long as the file; null for a temporary file
  void* own;         // what the layer keeps for it, from opened() to closing()

  [[nodiscard]] sqlite3_file* below() { return reinterpret_cast<sqlite3_file*>(this + 1); }
};

class VfsLayer {
 public:
  virtual ~VfsLayer();
  VfsLayer(const VfsLayer&) = delete;
  VfsLayer& operator=(const VfsLayer&) = delete;

  // Under this name SQLite finds it. It must outlive every connection that was opened with it.
  [[nodiscard]] const std::string& name() const { return name_; }

  virtual void opened(LayerFile& file);
  virtual void closing(LayerFile& file);
  virtual void deleted(const char* name);
  [[nodiscard]] virtual int read(LayerFile& file, void* to, int size, std::int64_t at);
  [[nodiscard]] virtual int write(LayerFile& file, const void* from, int size, std::int64_t at);
  [[nodiscard]] virtual int truncate(LayerFile& file, std::int64_t size);
  [[nodiscard]] virtual int sync(LayerFile& file, int flags);
  [[nodiscard]] virtual int file_size(LayerFile& file, std::int64_t& size);
  [[nodiscard]] virtual int control(LayerFile& file, int operation, void* argument);

  [[nodiscard]] sqlite3_vfs* base() const { return base_; }

 protected:
  VfsLayer(sqlite3_vfs* base, std::string name);
  // Makes it known to SQLite; unknown again when it is destroyed.
  [[nodiscard]] Status enlist();
  [[nodiscard]] static Result<sqlite3_vfs*> find_base(const std::string& name);  // empty: SQLite's default

 private:
  void install_calls();

  sqlite3_vfs* base_;
  std::string name_;
  std::unique_ptr<sqlite3_vfs> vfs_;
};

}  // namespace birthmark::store
