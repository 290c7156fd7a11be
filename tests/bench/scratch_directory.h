// SPDX-License-Identifier: Apache-2.0
// A directory beside the measured program, so that commits reach a real disk, removed at the end.
#pragma once

#include <filesystem>
#include <utility>

#include "base/result.h"

namespace birthmark::bench {

class ScratchDirectory {
 public:
  [[nodiscard]] static Result<ScratchDirectory> make(const std::filesystem::path& parent);
  ScratchDirectory(ScratchDirectory&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  ScratchDirectory& operator=(ScratchDirectory&&) = delete;
  ~ScratchDirectory();
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  explicit ScratchDirectory(std::filesystem::path path) : path_(std::move(path)) {}
  std::filesystem::path path_;
};

}  // namespace birthmark::bench
