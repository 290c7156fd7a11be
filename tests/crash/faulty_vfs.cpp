// SPDX-License-Identifier: Apache-2.0
#include "faulty_vfs.h"

namespace birthmark::testing {

using store::LayerFile;

Result<std::unique_ptr<FaultyVfs>> FaultyVfs::create(const std::string& name) {
  BIRTHMARK_TRY(sqlite3_vfs * base, find_base(""));
  std::unique_ptr<FaultyVfs> vfs(new FaultyVfs(base, name));
  BIRTHMARK_CHECK(vfs->enlist());
  return vfs;
}

void FaultyVfs::fail_after(long calls, int code, Recovery recovery) {
  failures_ = 0;
  code_ = code;
  once_ = recovery == Recovery::after_one_failure;
  calls_left_ = calls;
}

void FaultyVfs::heal() {
  calls_left_ = kNever;
  read_code_ = 0;
}

bool FaultyVfs::fails_now() {
  const long left = --calls_left_;
  const bool fails = once_ ? left == 0 : left <= 0;
  if (fails) ++failures_;
  return fails;
}

int FaultyVfs::read(LayerFile& file, void* to, int size, std::int64_t at) {
  const int code = read_code_;
  return code != 0 ? code : VfsLayer::read(file, to, size, at);
}
int FaultyVfs::write(LayerFile& file, const void* from, int size, std::int64_t at) {
  return fails_now() ? code_.load() : VfsLayer::write(file, from, size, at);
}
int FaultyVfs::truncate(LayerFile& file, std::int64_t size) {
  return fails_now() ? code_.load() : VfsLayer::truncate(file, size);
}
int FaultyVfs::sync(LayerFile& file, int flags) {
  return fails_now() ? code_.load() : VfsLayer::sync(file, flags);
}

}  // namespace birthmark::testing
