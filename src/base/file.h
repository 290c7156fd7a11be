// SPDX-License-Identifier: Apache-2.0
// Files as the project writes them: exact modes, synced before anybody relies on them, never half there, never overwritten by accident.
#pragma once

#include <sys/types.h>
#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

namespace birthmark {

// Owns one file descriptor.
class FileDescriptor {
 public:
  FileDescriptor() = default;
  explicit FileDescriptor(int fd) : fd_(fd) {}
  FileDescriptor(FileDescriptor&& other) noexcept : fd_(other.release()) {}
  FileDescriptor& operator=(FileDescriptor&& other) noexcept {
    if (this != &other) reset(other.release());
    return *this;
  }
  ~FileDescriptor() { reset(-1); }
  [[nodiscard]] int get() const { return fd_; }
  [[nodiscard]] bool valid() const { return fd_ >= 0; }
  int release() {
    const int fd = fd_;
    fd_ = -1;
    return fd;
  }
  void reset(int fd);

 private:
  int fd_ = -1;
};

// The whole file, refused above `limit_bytes`. Errors name the path and the reason.
[[nodiscard]] Result<std::string> read_file(const std::filesystem::path& path, std::size_t limit_bytes = 16U << 20U);

// Makes a file that was not there: contents and directory synced, exactly `mode` whatever the umask. conflict when the name is
// taken, also for root; the other file is never touched. A crash leaves either nothing by that name or all of it.
[[nodiscard]] Status create_file(const std::filesystem::path& path, std::string_view contents, mode_t mode);

// Replaces or makes a file in one step (temporary sibling, fsync, rename, fsync of the directory).
[[nodiscard]] Status replace_file(const std::filesystem::path& path, std::string_view contents, mode_t mode);

[[nodiscard]] Status make_directory(const std::filesystem::path& path, mode_t mode);  // already there is fine
[[nodiscard]] Status sync_directory(const std::filesystem::path& path);

// An exclusive lock that lasts as long as the object. unavailable when another process holds it.
[[nodiscard]] Result<FileDescriptor> lock_file(const std::filesystem::path& path);

// "Permission denied" for an errno value.
[[nodiscard]] std::string describe_errno(int number);

}  // namespace birthmark
