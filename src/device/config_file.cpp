// SPDX-License-Identifier: Apache-2.0
#include "device/config_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/file.h"

namespace birthmark::device {
namespace {

tl::unexpected<Error> cannot_write(const std::filesystem::path& path) {
  return fail(ErrorCode::misconfigured, "cannot write " + path.string() + ": " + describe_errno(errno));
}

}  // namespace

Status write_config_file(const std::filesystem::path& path, std::string_view contents, Secrecy secrecy) {
  const std::filesystem::path beside = path.string() + ".new";
  {
    // What an earlier, interrupted write left there is of no worth.
    const FileDescriptor file(::open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, secrecy == Secrecy::secret ? 0600 : 0644));
    if (!file.valid()) return cannot_write(beside);
    while (!contents.empty()) {
      const ssize_t written = ::write(file.get(), contents.data(), contents.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) return cannot_write(beside);
      contents.remove_prefix(static_cast<std::size_t>(written));
    }
    if (::fsync(file.get()) != 0) return cannot_write(beside);
  }
  if (::rename(beside.c_str(), path.c_str()) != 0) return cannot_write(path);
  return sync_directory(path.parent_path());
}

Result<crypto::PrivateKey> read_config_key(const std::filesystem::path& path) {
  BIRTHMARK_TRY(const std::string pem, read_file(path));
  auto key = crypto::PrivateKey::from_pem(pem);
  if (!key) return fail(ErrorCode::misconfigured, path.string() + ": " + key.error().public_message);
  return key;
}

}  // namespace birthmark::device
