// SPDX-License-Identifier: Apache-2.0
#include "device/program.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <thread>

extern char** environ;

namespace birthmark::device {
namespace {

enum class Errors { ours, with_output };

struct Started {
  pid_t pid = -1;
  FileDescriptor output;
};

Result<Started> spawn(const std::vector<std::string>& arguments, const std::vector<std::string>& environment, const std::string& directory,
                      Errors errors) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return fail(ErrorCode::unavailable, "no pipe: " + describe_errno(errno));
  FileDescriptor reading(ends[0]);
  const FileDescriptor writing(ends[1]);
  std::vector<char*> argv, envp;
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  for (const std::string& entry : environment) envp.push_back(const_cast<char*>(entry.c_str()));
  for (char** entry = environ; *entry != nullptr; ++entry) envp.push_back(*entry);
  envp.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, writing.get(), 1);
  if (errors == Errors::with_output) ::posix_spawn_file_actions_adddup2(&actions, writing.get(), 2);
  if (!directory.empty()) ::posix_spawn_file_actions_addchdir_np(&actions, directory.c_str());
  Started started;
  const int error = ::posix_spawnp(&started.pid, argv.front(), &actions, nullptr, argv.data(), envp.data());
  ::posix_spawn_file_actions_destroy(&actions);
  if (error != 0) return fail(ErrorCode::not_found, "cannot run " + arguments.front() + ": " + describe_errno(error));
  started.output = std::move(reading);
  return started;
}

}  // namespace

Result<ProgramOutcome> run_program(const std::vector<std::string>& arguments) {
  BIRTHMARK_TRY(const Started started, spawn(arguments, {}, {}, Errors::ours));
  ProgramOutcome outcome;
  std::array<char, 4096> buffer{};
  for (;;) {
    const ssize_t got = ::read(started.output.get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    outcome.output.append(buffer.data(), static_cast<std::size_t>(got));
  }
  int status = 0;
  while (::waitpid(started.pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFEXITED(status)) outcome.exit_code = WEXITSTATUS(status);
  return outcome;
}

Result<BackgroundProgram> BackgroundProgram::start(const std::vector<std::string>& arguments, const std::vector<std::string>& environment,
                                                   const std::string& directory) {
  BIRTHMARK_TRY(Started started, spawn(arguments, environment, directory, Errors::with_output));
  return BackgroundProgram(started.pid, std::move(started.output));
}

BackgroundProgram::BackgroundProgram(BackgroundProgram&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)), output_(std::move(other.output_)), unread_(std::move(other.unread_)) {}

BackgroundProgram::~BackgroundProgram() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGTERM);
  while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

std::string BackgroundProgram::next_line(std::chrono::steady_clock::time_point deadline, bool& ended) {
  ended = false;
  for (;;) {
    if (const std::size_t end = unread_.find('\n'); end != std::string::npos) {
      std::string line = unread_.substr(0, end);
      unread_.erase(0, end + 1);
      return line;
    }
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now()).count();
    if (left <= 0) return {};
    pollfd watched{output_.get(), POLLIN, 0};
    if (::poll(&watched, 1, static_cast<int>(left)) <= 0) continue;
    std::array<char, 4096> buffer{};
    const ssize_t got = ::read(output_.get(), buffer.data(), buffer.size());
    if (got > 0) unread_.append(buffer.data(), static_cast<std::size_t>(got));
    if (got == 0) {
      ended = true;
      return std::exchange(unread_, {});
    }
  }
}

bool BackgroundProgram::wait(std::chrono::steady_clock::time_point deadline) {
  while (pid_ > 0) {
    const pid_t done = ::waitpid(pid_, nullptr, WNOHANG);
    if (done == pid_) pid_ = -1;
    if (pid_ > 0 && std::chrono::steady_clock::now() > deadline) return false;
    if (pid_ > 0) std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return true;
}

}  // namespace birthmark::device
