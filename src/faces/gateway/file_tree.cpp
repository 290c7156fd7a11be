// SPDX-License-Identifier: Apache-2.0
#include "faces/gateway/file_tree.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>

#include "base/file.h"

namespace birthmark::faces::gateway {
namespace {

constexpr std::uint64_t kMaxAnswerBytes = 64U << 20U;

bool is_plain_part(std::string_view part) {
  const auto plain = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '_' || c == '.' || c == '+' ||
           c == '=' || c == '@';
  };
  return !part.empty() && part.front() != '.' && std::all_of(part.begin(), part.end(), plain);
}

tl::unexpected<Error> not_there() {
  return fail(ErrorCode::not_found, "there is no such file");
}

// Part by part, following no symbolic link: nothing a peer sends leads out of the directory.
Result<FileDescriptor> open_below(const std::filesystem::path& root, std::string_view relative) {
  FileDescriptor at(::open(root.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!at.valid()) return fail(ErrorCode::not_found, "there is no such file", root.string() + ": " + describe_errno(errno));
  for (std::size_t begin = 0;;) {
    const std::size_t slash = relative.find('/', begin);
    const std::string_view part = relative.substr(begin, slash - begin);
    if (!is_plain_part(part)) return not_there();
    const bool last = slash == std::string_view::npos;
    FileDescriptor next(::openat(at.get(), std::string(part).c_str(), O_CLOEXEC | O_NOFOLLOW | (last ? O_RDONLY : O_PATH | O_DIRECTORY)));
    if (!next.valid()) return not_there();
    if (last) return next;
    at = std::move(next);
    begin = slash + 1;
  }
}

}  // namespace

std::optional<ByteRange> parse_range(std::string_view header) {
  constexpr std::string_view kUnit = "bytes=";
  if (!header.starts_with(kUnit)) return std::nullopt;
  header.remove_prefix(kUnit.size());
  const std::size_t dash = header.find('-');
  if (dash == std::string_view::npos || dash == 0) return std::nullopt;
  const auto number = [](std::string_view digits) -> std::optional<std::uint64_t> {
    std::uint64_t value = 0;
    const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (read.ec != std::errc{} || read.ptr != digits.data() + digits.size()) return std::nullopt;
    return value;
  };
  const auto first = number(header.substr(0, dash));
  if (!first) return std::nullopt;
  ByteRange range{*first, std::nullopt};
  if (dash + 1 == header.size()) return range;
  range.last = number(header.substr(dash + 1));
  if (!range.last || *range.last < *first) return std::nullopt;
  return range;
}

Result<FileContent> FileTree::read(std::string_view relative, std::optional<ByteRange> range) const {
  BIRTHMARK_TRY(const FileDescriptor file, open_below(root_, relative));
  struct stat status{};
  if (::fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode)) return not_there();
  FileContent content;
  content.total = static_cast<std::uint64_t>(status.st_size);
  std::uint64_t end = content.total;
  if (range) {
    if (range->first >= content.total) return fail(ErrorCode::invalid, "the range begins behind the end of the file");
    content.offset = range->first;
    if (range->last) end = std::min(content.total, *range->last + 1);
  }
  if (end - content.offset > kMaxAnswerBytes) return fail(ErrorCode::too_large, "the file is too large for one answer; ask for ranges");
  content.bytes.resize(end - content.offset);
  std::size_t done = 0;
  while (done < content.bytes.size()) {
    const ssize_t got =
        ::pread(file.get(), content.bytes.data() + done, content.bytes.size() - done, static_cast<off_t>(content.offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return fail(ErrorCode::unavailable, "the file cannot be read", describe_errno(errno));
    done += static_cast<std::size_t>(got);
  }
  return content;
}

}  // namespace birthmark::faces::gateway
