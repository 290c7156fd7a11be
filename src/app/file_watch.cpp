// SPDX-License-Identifier: Apache-2.0
#include "app/file_watch.h"

#include <sys/stat.h>

#include <algorithm>
#include <vector>

namespace birthmark::app {
namespace {

namespace fs = std::filesystem;

// Everything that changes when a file does, also when it is replaced by one of the same size in the same second.
std::string state_of(const fs::path& path) {
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0) return path.string() + " absent\n";
  std::string text = path.string();
  const auto add = [&text](auto value) { text += ' ' + std::to_string(static_cast<std::int64_t>(value)); };
  add(status.st_dev);
  add(status.st_ino);
  add(status.st_size);
  add(status.st_mode);
  add(status.st_uid);
  add(status.st_mtim.tv_sec);
  add(status.st_mtim.tv_nsec);
  add(status.st_ctim.tv_sec);
  add(status.st_ctim.tv_nsec);
  return text + '\n';
}

void append_matching(const fs::path& directory, std::string_view extension, std::vector<fs::path>& paths) {
  std::error_code failure;
  for (const auto& entry : fs::directory_iterator(directory, failure))
    if (entry.path().extension() == extension) paths.push_back(entry.path());
}

}  // namespace

std::string FileWatch::look() const {
  std::vector<fs::path> paths{directory_ / "birthmark.toml"};
  append_matching(directory_, ".pem", paths);
  append_matching(directory_ / "keys", ".key", paths);
  std::sort(paths.begin(), paths.end());
  std::string all;
  for (const fs::path& path : paths) all += state_of(path);
  return all;
}

bool FileWatch::settled() {
  std::string now = look();
  const bool still = now == seen_;
  seen_ = std::move(now);
  if (!still || seen_ == taken_) return false;
  taken_ = seen_;
  return true;
}

}  // namespace birthmark::app
