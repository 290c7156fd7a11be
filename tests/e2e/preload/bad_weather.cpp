// SPDX-License-Identifier: Apache-2.0
// Preloaded into a server under test: shifts its clock and makes its database read-only, while it runs, as a control file says
// (tests/e2e/bad_weather.h). Uses system calls only, so that sanitizers may stand before it.
#include "bad_weather.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace {

using birthmark::e2e::Weather;

const volatile Weather* open_weather() {
  const char* const path = std::getenv("BIRTHMARK_BAD_WEATHER");
  const int fd = path == nullptr ? -1 : ::open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return nullptr;
  void* const mapped = ::mmap(nullptr, sizeof(Weather), PROT_READ, MAP_SHARED, fd, 0);
  ::close(fd);
  return mapped == MAP_FAILED ? nullptr : static_cast<const volatile Weather*>(mapped);
}

const volatile Weather* weather() {
  static const volatile Weather* const ours = open_weather();
  return ours;
}

bool is_civil(clockid_t clock) {
  return clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE;
}

time_t shift() {
  return weather() == nullptr ? 0 : static_cast<time_t>(weather()->clock_shift_seconds);
}

// Of birthmark.db and its companions.
bool is_database(int fd) {
  std::array<char, 64> link{};
  std::array<char, 4096> target{};
  std::snprintf(link.data(), link.size(), "/proc/self/fd/%d", fd);
  const ssize_t size = ::readlink(link.data(), target.data(), target.size());
  return size > 0 && std::string_view(target.data(), static_cast<std::size_t>(size)).find("/birthmark.db") != std::string_view::npos;
}

bool refuses_writes(int fd) {
  if (weather() == nullptr || weather()->read_only == 0 || !is_database(fd)) return false;
  errno = EROFS;
  return true;
}

}  // namespace

extern "C" {

int clock_gettime(clockid_t clock, timespec* to) noexcept {
  const long done = ::syscall(SYS_clock_gettime, clock, to);
  if (done == 0 && is_civil(clock)) to->tv_sec += shift();
  return static_cast<int>(done);
}

int gettimeofday(timeval* to, void*) noexcept {
  timespec now{};
  if (clock_gettime(CLOCK_REALTIME, &now) != 0) return -1;
  *to = {now.tv_sec, now.tv_nsec / 1000};
  return 0;
}

time_t time(time_t* to) noexcept {
  timespec now{};
  if (clock_gettime(CLOCK_REALTIME, &now) != 0) return -1;
  if (to != nullptr) *to = now.tv_sec;
  return now.tv_sec;
}

ssize_t pwrite64(int fd, const void* data, size_t size, off64_t at) {
  return refuses_writes(fd) ? -1 : static_cast<ssize_t>(::syscall(SYS_pwrite64, fd, data, size, at));
}
ssize_t pwrite(int fd, const void* data, size_t size, off_t at) {
  return pwrite64(fd, data, size, at);
}

int ftruncate64(int fd, off64_t size) noexcept {
  return refuses_writes(fd) ? -1 : static_cast<int>(::syscall(SYS_ftruncate, fd, size));
}
int ftruncate(int fd, off_t size) noexcept {
  return ftruncate64(fd, size);
}
}
