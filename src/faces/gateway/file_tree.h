// SPDX-License-Identifier: Apache-2.0
// Files of one configured directory, for reading: a name from a peer is looked up part by part, and no part can lead out.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace birthmark::faces::gateway {

struct FileContent {
  std::string bytes;
  std::uint64_t offset = 0;
  std::uint64_t total = 0;  // of the whole file
};

struct ByteRange {
  std::uint64_t first = 0;
  std::optional<std::uint64_t> last;  // inclusive; nothing: to the end
};

// "bytes=0-99", "bytes=100-"; nothing for everything else, which RFC 9110 14.2 lets a server ignore.
[[nodiscard]] std::optional<ByteRange> parse_range(std::string_view header);

class FileTree {
 public:
  explicit FileTree(std::filesystem::path root) : root_(std::move(root)) {}

  [[nodiscard]] bool configured() const { return !root_.empty(); }
  // not_found also for names that a tree like this never has; too_large for what does not fit into one answer.
  [[nodiscard]] Result<FileContent> read(std::string_view relative, std::optional<ByteRange> range = std::nullopt) const;

 private:
  const std::filesystem::path root_;
};

}  // namespace birthmark::faces::gateway
