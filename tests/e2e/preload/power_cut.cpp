// SPDX-License-Identifier: Apache-2.0
// Preloaded into a program whose directory BIRTHMARK_POWER_CUT_OF is watched: BIRTHMARK_POWER_CUT_KEEPS always holds what a power cut would
// leave of it. A file's contents count once the file was synced, its name once the directory was. BIRTHMARK_POWER_CUT_AT=N ends the program
// at its Nth sync; odd numbers before it happens, even ones after.
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <string>

namespace {

std::string variable(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

std::string contents_of(const std::string& path) {
  std::string contents;
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  char buffer[4096];
  for (ssize_t got = ::read(fd, buffer, sizeof buffer); got > 0; got = ::read(fd, buffer, sizeof buffer))
    contents.append(buffer, static_cast<std::size_t>(got));
  if (fd >= 0) ::close(fd);
  return contents;
}

// Synced contents by inode.
std::map<ino_t, std::string>& synced() {
  static auto* const all = new std::map<ino_t, std::string>;
  return *all;
}

void write_out(const std::string& path, const std::string& contents) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0 || ::write(fd, contents.data(), contents.size()) < 0) std::abort();
  ::close(fd);
}

template <class Visit>
void each_file(const std::string& directory, Visit visit) {
  DIR* const open = ::opendir(directory.c_str());
  if (open == nullptr) return;
  for (const dirent* entry = ::readdir(open); entry != nullptr; entry = ::readdir(open)) {
    struct stat facts{};
    const std::string path = directory + "/" + entry->d_name;
    if (::stat(path.c_str(), &facts) == 0 && S_ISREG(facts.st_mode)) visit(path, std::string(entry->d_name), facts.st_ino);
  }
  ::closedir(open);
}

// The directory as its sync makes it: files that nobody synced are there and empty.
void keep_directory(const std::string& directory, const std::string& kept) {
  each_file(kept, [](const std::string& path, const std::string&, ino_t) { ::unlink(path.c_str()); });
  each_file(directory, [&](const std::string&, const std::string& name, ino_t inode) {
    const auto known = synced().find(inode);
    write_out(kept + "/" + name, known == synced().end() ? std::string() : known->second);
  });
}

// What was there before the program began is durable.
void know_what_was_there(const std::string& directory) {
  static const bool once = [&] {
    each_file(directory, [](const std::string& path, const std::string&, ino_t inode) { synced()[inode] = contents_of(path); });
    return true;
  }();
  static_cast<void>(once);
}

void end_at(long moment) {
  static const long wanted = [] {
    const std::string text = variable("BIRTHMARK_POWER_CUT_AT");
    long number = 0;
    std::from_chars(text.data(), text.data() + text.size(), number);
    return number;
  }();
  if (wanted == moment) ::raise(SIGKILL);
}

}  // namespace

extern "C" __attribute__((constructor)) void birthmark_power_cut_begin() {
  const std::string directory = variable("BIRTHMARK_POWER_CUT_OF");
  if (!directory.empty()) know_what_was_there(directory);
}

extern "C" int fsync(int fd) {
  static long moment = 0;
  const std::string directory = variable("BIRTHMARK_POWER_CUT_OF"), kept = variable("BIRTHMARK_POWER_CUT_KEEPS");
  char target[4096] = {};
  const std::string link = "/proc/self/fd/" + std::to_string(fd);
  const ssize_t length = ::readlink(link.c_str(), target, sizeof target - 1);
  const std::string path(target, length > 0 ? static_cast<std::size_t>(length) : 0);
  const bool watched = !directory.empty() && path.compare(0, directory.size(), directory) == 0;
  if (watched) end_at(++moment);
  const int result = static_cast<int>(::syscall(SYS_fsync, fd));
  if (!watched) return result;
  struct stat facts{};
  if (::fstat(fd, &facts) == 0 && S_ISREG(facts.st_mode)) synced()[facts.st_ino] = contents_of(path);
  if (path == directory) keep_directory(directory, kept);
  end_at(++moment);
  return result;
}
