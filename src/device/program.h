// SPDX-License-Identifier: Apache-2.0
// Runs other programs of the device: found in PATH, arguments as a list, no shell.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/result.h"

namespace birthmark::device {

struct ProgramOutcome {
  int exit_code = -1;  // -1: a signal ended it
  std::string output;  // its stdout
};

// To its end; its stderr goes where ours goes.
[[nodiscard]] Result<ProgramOutcome> run_program(const std::vector<std::string>& arguments);

// One that goes on, watched by its stdout and stderr.
class BackgroundProgram {
 public:
  [[nodiscard]] static Result<BackgroundProgram> start(const std::vector<std::string>& arguments,
                                                       const std::vector<std::string>& environment, const std::string& directory);
  BackgroundProgram(BackgroundProgram&& other) noexcept;
  BackgroundProgram& operator=(BackgroundProgram&&) = delete;
  ~BackgroundProgram();  // ended, with SIGTERM

  // The next line; nothing at its end or when the time is over.
  [[nodiscard]] std::string next_line(std::chrono::steady_clock::time_point deadline, bool& ended);
  // Waits for its end.
  [[nodiscard]] bool wait(std::chrono::steady_clock::time_point deadline);

 private:
  BackgroundProgram(pid_t pid, FileDescriptor output) : pid_(pid), output_(std::move(output)) {}
  pid_t pid_;
  FileDescriptor output_;
  std::string unread_;
};

}  // namespace birthmark::device
