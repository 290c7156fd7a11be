// SPDX-License-Identifier: Apache-2.0
// Small archives of a flat directory: a tar, and a FAT16 file system as EVE's CONFIG partition is one.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace birthmark::app {

struct PackedFile {
  std::string name;  // plain ASCII, at most 255 characters
  std::string contents;
};

// POSIX ustar.
[[nodiscard]] Result<std::string> make_tar(const std::vector<PackedFile>& files, Instant at);

// One FAT16 volume labelled `label` of `megabytes` (5 to 64), with long file names (FAT: General Overview of On-Disk Format, 1.03).
[[nodiscard]] Result<std::string> make_fat_image(const std::vector<PackedFile>& files, const std::string& label, unsigned megabytes,
                                                 Instant at);

}  // namespace birthmark::app
