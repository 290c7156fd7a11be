// SPDX-License-Identifier: Apache-2.0
#include "base/file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <system_error>

#include "base/crash_point.h"

namespace birthmark {
namespace {

tl::unexpected<Error> file_failure(const std::filesystem::path& path, std::string_view what) {
  const int number = errno;
  const auto code = number == ENOENT ? ErrorCode::not_found : number == EEXIST ? ErrorCode::conflict : ErrorCode::misconfigured;
  return fail(code, "cannot " + std::string(what) + " " + path.string() + ": " + describe_errno(number));
}

Status write_all(int fd, std::string_view contents, const std::filesystem::path& path) {
  while (!contents.empty()) {
    const ssize_t written = ::write(fd, contents.data(), contents.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return file_failure(path, "write");
    contents.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

// A synced file under a temporary name beside `path`; the caller links or renames it.
Result<std::filesystem::path> write_sibling(const std::filesystem::path& path, std::string_view contents, mode_t mode) {
  std::string name = path.string() + ".XXXXXX";
  FileDescriptor file(::mkostemp(name.data(), O_CLOEXEC));
  if (!file.valid()) return file_failure(path, "create");
  const std::filesystem::path sibling(name);
  Status written = write_all(file.get(), contents, path);
  if (written && (::fchmod(file.get(), mode) != 0 || ::fsync(file.get()) != 0)) written = file_failure(path, "write");
  if (written) return sibling;
  ::unlink(sibling.c_str());
  return forward_error(written);
}

std::filesystem::path directory_of(const std::filesystem::path& path) {
  return path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
}

}  // namespace

void FileDescriptor::reset(int fd) {
  if (fd_ >= 0) ::close(fd_);
  fd_ = fd;
}

std::string describe_errno(int number) {
  return std::generic_category().message(number);
}

Result<std::string> read_file(const std::filesystem::path& path, std::size_t limit_bytes) {
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.valid()) return file_failure(path, "read");
  std::string contents;
  std::array<char, 16384> chunk{};
  for (;;) {
    const ssize_t got = ::read(file.get(), chunk.data(), chunk.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return file_failure(path, "read");
    if (got == 0) return contents;
    if (contents.size() + static_cast<std::size_t>(got) > limit_bytes)
      return fail(ErrorCode::too_large, path.string() + " is larger than " + std::to_string(limit_bytes) + " bytes");
    contents.append(chunk.data(), static_cast<std::size_t>(got));
  }
}

Status create_file(const std::filesystem::path& path, std::string_view contents, mode_t mode) {
  auto sibling = write_sibling(path, contents, mode);
  if (!sibling) return forward_error(sibling);
  BIRTHMARK_CRASH_POINT("file.before_create");
  // link() refuses a name that exists, whoever asks: rename() would replace it.
  const bool linked = ::link(sibling->c_str(), path.c_str()) == 0;
  Status made;
  if (!linked) made = file_failure(path, "create");
  ::unlink(sibling->c_str());
  if (!made) return made;
  return sync_directory(directory_of(path));
}

Status replace_file(const std::filesystem::path& path, std::string_view contents, mode_t mode) {
  auto sibling = write_sibling(path, contents, mode);
  if (!sibling) return forward_error(sibling);
  BIRTHMARK_CRASH_POINT("file.before_replace");
  if (::rename(sibling->c_str(), path.c_str()) != 0) {
    Status failed = file_failure(path, "replace");
    ::unlink(sibling->c_str());
    return failed;
  }
  return sync_directory(directory_of(path));
}

Status make_directory(const std::filesystem::path& path, mode_t mode) {
  if (::mkdir(path.c_str(), mode) == 0) {
    if (::chmod(path.c_str(), mode) != 0) return file_failure(path, "set the mode of");
    return sync_directory(directory_of(path));
  }
  if (errno != EEXIST) return file_failure(path, "make directory");
  struct stat found{};
  if (::stat(path.c_str(), &found) == 0 && S_ISDIR(found.st_mode)) return {};
  errno = ENOTDIR;
  return file_failure(path, "use");
}

Status sync_directory(const std::filesystem::path& path) {
  const FileDescriptor directory(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory.valid() || ::fsync(directory.get()) != 0) return file_failure(path, "sync directory");
  return {};
}

Result<FileDescriptor> lock_file(const std::filesystem::path& path) {
  FileDescriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!file.valid()) return file_failure(path, "open");
  if (::flock(file.get(), LOCK_EX | LOCK_NB) == 0) return file;
  if (errno == EWOULDBLOCK) return fail(ErrorCode::unavailable, path.string() + " is locked by another process");
  return file_failure(path, "lock");
}

}  // namespace birthmark
