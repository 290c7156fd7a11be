// SPDX-License-Identifier: Apache-2.0
// Programs as child processes: the server under measurement, what it is compared with, and the operator's commands. Everything about them
// is read from outside, so that it holds for any program.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/result.h"

namespace birthmark::bench {

class ChildProgram {
 public:
  struct Options {
    std::vector<std::string> arguments;  // the program first, found through PATH
    std::filesystem::path log;           // takes its standard error
    bool keep_input_open = false;        // a pipe that nobody writes to, for programs that end with their input
    bool discard_output = false;
  };

  [[nodiscard]] static Result<ChildProgram> start(const Options& options);
  ChildProgram(ChildProgram&& other) noexcept;
  ChildProgram& operator=(ChildProgram&&) = delete;
  ~ChildProgram();  // SIGKILL to what still runs

  [[nodiscard]] pid_t pid() const { return pid_; }
  [[nodiscard]] const FileDescriptor& output() const { return output_; }  // of its standard output, unless discarded
  void signal(int number) const;
  // Waits for its end: the exit status, or 128 and the signal.
  [[nodiscard]] int wait();

 private:
  ChildProgram() = default;
  pid_t pid_ = -1;
  FileDescriptor input_;
  FileDescriptor output_;
};

// Runs a program to its end: its standard output. What it says on standard error is added to `log`; an error names that file.
[[nodiscard]] Result<std::string> run_program(const std::vector<std::string>& arguments, const std::filesystem::path& log);

// CPU seconds that a process has used so far, user and system.
[[nodiscard]] double cpu_seconds_of(pid_t pid);
// A field of /proc/PID/status, "VmRSS:", in megabytes.
[[nodiscard]] double status_field_mb(pid_t pid, std::string_view name);
// The first number after `key` in `text`; 0 when there is none.
[[nodiscard]] double number_after(std::string_view text, std::string_view key);

}  // namespace birthmark::bench
