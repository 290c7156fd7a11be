// SPDX-License-Identifier: Apache-2.0
#include "upstream/token_file.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

#include "base/file.h"
#include "base/log.h"

namespace birthmark::upstream {
namespace {

constexpr std::size_t kMaxBytes = 16'384;

std::string fingerprint_of(const struct stat& status) {
  const auto number = [](auto value) { return std::to_string(static_cast<std::int64_t>(value)) + '/'; };
  return number(status.st_dev) + number(status.st_ino) + number(status.st_size) + number(status.st_mode) + number(status.st_mtim.tv_sec) +
         number(status.st_mtim.tv_nsec) + number(status.st_ctim.tv_sec) + number(status.st_ctim.tv_nsec);
}

// RFC 9110 5.5: what may stand in a header.
bool is_visible(std::string_view token) {
  return std::all_of(token.begin(), token.end(), [](char c) { return c > ' ' && c < '\x7f'; });
}

}  // namespace

Result<std::string> TokenFile::read() {
  struct stat status{};
  if (::stat(path_.c_str(), &status) != 0)
    return fail(ErrorCode::misconfigured, "cannot read the token file " + path_.string() + ": " + describe_errno(errno));
  const bool shared = (status.st_mode & 077U) != 0;
  if (shared && secrecy_ == Secrecy::advised && !warned_.exchange(true))
    log::warning("others may read the token file", {{"file", path_.string()}, {"advice", "chmod 600 it"}});
  if (shared && secrecy_ == Secrecy::required)
    return fail(ErrorCode::misconfigured, "others may read the token file " + path_.string() + ": chmod 600 it");
  auto text = read_file(path_, kMaxBytes);
  if (!text) return fail(ErrorCode::misconfigured, text.error().public_message, text.error().detail);
  std::string token = text->substr(0, text->find_first_of("\r\n"));
  token.erase(0, token.find_first_not_of(' '));
  token.erase(token.find_last_not_of(' ') + 1);
  if (token.empty() || !is_visible(token)) return fail(ErrorCode::misconfigured, "there is no token in " + path_.string());
  return token;
}

std::uint64_t TokenFile::version() {
  struct stat status{};
  const std::string now = ::stat(path_.c_str(), &status) == 0 ? fingerprint_of(status) : std::string("absent");
  const std::lock_guard held(mutex_);
  if (now != seen_) {
    seen_ = now;
    ++version_;
  }
  return version_;
}

}  // namespace birthmark::upstream
