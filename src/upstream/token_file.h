// SPDX-License-Identifier: Apache-2.0
// A secret in a file of mode 0600, read again whenever the file changes, so that neither a new token nor a lost file needs a restart.
// Safe to call from every thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <mutex>
#include <string>

#include "base/result.h"

namespace birthmark::upstream {

// Whether a file that others may read is refused, or used with a warning.
enum class Secrecy : std::uint8_t { required, advised };

class TokenFile {
 public:
  TokenFile(std::filesystem::path path, Secrecy secrecy) : path_(std::move(path)), secrecy_(secrecy) {}

  // The first line. misconfigured, in words for an operator, when there is no such file, others may read it, or it is empty.
  [[nodiscard]] Result<std::string> read();
  // Changes whenever the file does: its contents, its mode, its being there.
  [[nodiscard]] std::uint64_t version();

 private:
  const std::filesystem::path path_;
  const Secrecy secrecy_;
  std::mutex mutex_;
  std::string seen_;  // what stat said last
  std::uint64_t version_ = 1;
  std::atomic<bool> warned_ = false;
};

}  // namespace birthmark::upstream
