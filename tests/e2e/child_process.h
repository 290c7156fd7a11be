// SPDX-License-Identifier: Apache-2.0
// A program as a child process: started without a shell, watched with deadlines, ended by its own pid. Everything the tests of this folder
// run goes through it.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/file.h"

namespace birthmark::e2e {

using Arguments = std::vector<std::string>;
using std::chrono::milliseconds;

inline constexpr milliseconds kPatience{60'000};  // for what takes well under a second on an idle machine

// Stops the test with a message. Not for threads of a test: nothing would catch it there.
void require(bool condition, const std::string& message);

[[nodiscard]] std::string read_text(const std::filesystem::path& path);
void write_text(const std::filesystem::path& path, std::string_view text);

// Calls `holds` until it is true; false when the deadline passed first.
template <class Condition>
[[nodiscard]] bool wait_until(const Condition& holds, milliseconds at_most = kPatience);

struct Exit {
  int code = -1;   // of exit(); -1 when a signal ended it
  int signal = 0;  // 0: it exited
};

class ChildProcess {
 public:
  struct Options {
    std::vector<std::string> environment;  // "NAME=value", over ours
    std::filesystem::path output;          // where its stdout goes; empty: a pipe, see output_pipe()
    std::filesystem::path errors;
  };
  ChildProcess(const Arguments& arguments, const Options& options);
  ~ChildProcess();  // kills what still runs
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  [[nodiscard]] pid_t pid() const { return pid_; }
  [[nodiscard]] int output_pipe() const { return output_.get(); }
  void send_signal(int number) const;
  // Nothing when it still runs at the deadline.
  [[nodiscard]] std::optional<Exit> wait(milliseconds at_most = kPatience);

 private:
  pid_t pid_ = -1;
  FileDescriptor output_;
  FileDescriptor handle_;
  std::optional<Exit> exit_;
};

struct Outcome {
  int exit_code = -1;
  std::string output;
  std::string errors;
};

// Runs a program to its end. The first argument is looked up in PATH unless it has a slash.
[[nodiscard]] Outcome run(const Arguments& arguments, const std::vector<std::string>& environment = {});

// A directory of one test, gone with it.
class ScratchDirectory {
 public:
  ScratchDirectory();
  ~ScratchDirectory();
  ScratchDirectory(const ScratchDirectory&) = delete;
  ScratchDirectory& operator=(const ScratchDirectory&) = delete;
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

void take_a_breath();  // a few milliseconds, between two looks at a condition

template <class Condition>
bool wait_until(const Condition& holds, milliseconds at_most) {
  const auto deadline = std::chrono::steady_clock::now() + at_most;
  while (!holds()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    take_a_breath();
  }
  return true;
}

}  // namespace birthmark::e2e
