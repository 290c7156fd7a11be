// SPDX-License-Identifier: Apache-2.0
// The real server as a child process: started, measured from outside, ended.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "child_program.h"

namespace birthmark::bench {

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
    std::string face = "registration";                // the one listener, on a free loopback port
    unsigned threads = 0;                             // 0: its own default
    std::optional<unsigned> one_core = std::nullopt;  // confine it to this core
  };

  // Answers once it has printed "ready".
  [[nodiscard]] static Result<ServerProcess> start(const Options& options);
  ServerProcess(ServerProcess&& other) noexcept = default;
  ServerProcess& operator=(ServerProcess&&) = delete;
  ~ServerProcess();

  // SIGTERM, and waits. An error when it did not exit with 0.
  [[nodiscard]] Status stop();
  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] pid_t pid() const { return child_.pid(); }
  [[nodiscard]] double cpu_seconds() const { return cpu_seconds_of(child_.pid()); }
  [[nodiscard]] double resident_mb() const { return status_field_mb(child_.pid(), "VmRSS:"); }
  [[nodiscard]] double peak_mb() const { return status_field_mb(child_.pid(), "VmHWM:"); }
  // By `birthmark status`.
  [[nodiscard]] Result<StoreFigures> store_figures() const;

 private:
  ServerProcess(Options options, ChildProgram child) : options_(std::move(options)), child_(std::move(child)) {}
  [[nodiscard]] Status wait_until_ready();
  [[nodiscard]] Result<std::string> read_line();

  Options options_;
  ChildProgram child_;
  std::string unread_;
  std::uint16_t port_ = 0;
};

}  // namespace birthmark::bench
