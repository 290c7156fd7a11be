// SPDX-License-Identifier: Apache-2.0
// The real server as a child process: started, measured from outside, ended.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/result.h"

namespace birthmark::bench {

// Runs a program to its end: its standard output. What it says on standard error is added to `log`; an error names that file.
[[nodiscard]] Result<std::string> run_program(const std::vector<std::string>& arguments, const std::filesystem::path& log);

struct StoreFigures {
  double commits = 0;
  double jobs = 0;
  double fsyncs = 0;
};

class ServerProcess {
 public:
  struct Options {
    std::filesystem::path program;
    std::filesystem::path directory;
    unsigned threads = 0;              // 0: its own default
    std::optional<unsigned> one_core;  // confine it to this core
  };

  // Answers once it has printed "ready".
  [[nodiscard]] static Result<ServerProcess> start(const Options& options);
  ServerProcess(ServerProcess&& other) noexcept;
  ServerProcess& operator=(ServerProcess&&) = delete;
  ~ServerProcess();

  // SIGTERM, and waits. An error when it did not exit with 0.
  [[nodiscard]] Status stop();
  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] double cpu_seconds() const;
  [[nodiscard]] double resident_mb() const;
  [[nodiscard]] double peak_mb() const;
  // By `birthmark status`.
  [[nodiscard]] Result<StoreFigures> store_figures() const;

 private:
  ServerProcess(Options options, pid_t pid, FileDescriptor output) : options_(std::move(options)), pid_(pid), output_(std::move(output)) {}
  [[nodiscard]] Status wait_until_ready();
  [[nodiscard]] Result<std::string> read_line();
  [[nodiscard]] double status_field_mb(std::string_view name) const;

  Options options_;
  pid_t pid_;
  FileDescriptor output_;
  std::string unread_;
  std::uint16_t port_ = 0;
};

}  // namespace birthmark::bench
