// SPDX-License-Identifier: Apache-2.0
#include "scratch_directory.h"

#include <stdlib.h>

#include <cerrno>

#include "base/file.h"

namespace birthmark::bench {

Result<ScratchDirectory> ScratchDirectory::make(const std::filesystem::path& parent) {
  std::string name = (parent / "bench-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) return fail(ErrorCode::unavailable, "cannot make " + name + ": " + describe_errno(errno));
  return ScratchDirectory(name);
}

ScratchDirectory::~ScratchDirectory() {
  std::error_code ignored;
  if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
}

}  // namespace birthmark::bench
