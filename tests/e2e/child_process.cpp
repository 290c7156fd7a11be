// SPDX-License-Identifier: Apache-2.0
#include "child_process.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <thread>

extern char** environ;

namespace birthmark::e2e {
namespace {

std::vector<char*> pointers_to(const std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (const std::string& text : texts) pointers.push_back(const_cast<char*>(text.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

std::string name_of(std::string_view setting) {
  return std::string(setting.substr(0, setting.find('='))) + "=";
}

// Ours without what `added` replaces, and without what would redirect the program under test.
std::vector<std::string> environment_with(const std::vector<std::string>& added) {
  std::vector<std::string> all = added;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view ours(*entry);
    bool replaced = ours.starts_with("BIRTHMARK_");
    for (const std::string& other : added) replaced = replaced || ours.starts_with(name_of(other));
    if (!replaced) all.emplace_back(ours);
  }
  return all;
}

}  // namespace

void require(bool condition, const std::string& message) {
  if (!condition) throw std::runtime_error(message);
}

std::string read_text(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  require(file.good(), "cannot read " + path.string());
  return {std::istreambuf_iterator<char>(file), {}};
}

void write_text(const std::filesystem::path& path, std::string_view text) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << text;
  require(file.flush().good(), "cannot write " + path.string());
}

void take_a_breath() {
  std::this_thread::sleep_for(milliseconds(5));
}

ChildProcess::ChildProcess(const Arguments& arguments, const Options& options) {
  std::array<int, 2> ends{-1, -1};
  if (options.output.empty()) require(::pipe2(ends.data(), O_CLOEXEC) == 0, "no pipe");
  output_ = FileDescriptor(ends[0]);
  const FileDescriptor child_end(ends[1]);
  constexpr int kFlags = O_WRONLY | O_CREAT | O_APPEND;
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  if (child_end.valid()) {
    ::posix_spawn_file_actions_adddup2(&actions, child_end.get(), STDOUT_FILENO);
  } else {
    ::posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, options.output.c_str(), kFlags, 0600);
  }
  ::posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, options.errors.c_str(), kFlags, 0600);
  const auto environment = environment_with(options.environment);
  const int error =
      ::posix_spawnp(&pid_, arguments[0].c_str(), &actions, nullptr, pointers_to(arguments).data(), pointers_to(environment).data());
  ::posix_spawn_file_actions_destroy(&actions);
  require(error == 0, "cannot run " + arguments[0] + ": " + describe_errno(error));
  handle_ = FileDescriptor(static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0)));
  require(handle_.valid(), "no handle of the child");
}

ChildProcess::~ChildProcess() {
  if (pid_ <= 0 || exit_) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

void ChildProcess::send_signal(int number) const {
  if (!exit_) ::kill(pid_, number);
}

std::optional<Exit> ChildProcess::wait(milliseconds at_most) {
  if (exit_) return exit_;
  pollfd ended{handle_.get(), POLLIN, 0};
  if (::poll(&ended, 1, static_cast<int>(at_most.count())) != 1) return std::nullopt;
  int status = 0;
  ::waitpid(pid_, &status, 0);
  exit_ = WIFEXITED(status) ? Exit{WEXITSTATUS(status), 0} : Exit{-1, WTERMSIG(status)};
  return exit_;
}

Outcome run(const Arguments& arguments, const std::vector<std::string>& environment) {
  const ScratchDirectory scratch;
  const ChildProcess::Options options{environment, scratch.path() / "output", scratch.path() / "errors"};
  ChildProcess child(arguments, options);
  const auto end = child.wait();
  require(end.has_value(), arguments[0] + " does not end");
  return {end->code, read_text(options.output), read_text(options.errors)};
}

ScratchDirectory::ScratchDirectory() {
  std::string name = (std::filesystem::temp_directory_path() / "birthmark-e2e-XXXXXX").string();
  require(::mkdtemp(name.data()) != nullptr, "no temporary directory");
  path_ = name;
}

ScratchDirectory::~ScratchDirectory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace birthmark::e2e
