// SPDX-License-Identifier: Apache-2.0
// DIR/control.sock, mode 0600: how commands reach the server that holds the directory. One connection carries one command: its words and
// input files go in, its output comes back as it is written, its exit code last.
#pragma once

#include <atomic>
#include <filesystem>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "app/site.h"
#include "base/file.h"
#include "cli/driver.h"

namespace birthmark::app {

class ControlServer {
 public:
  [[nodiscard]] static Result<std::unique_ptr<ControlServer>> start(Site& site);
  // Lets running commands finish, but waits for no peer: neither for one that has not asked yet nor for one that does not read.
  ~ControlServer();

 private:
  ControlServer(Site& site, FileDescriptor listener, FileDescriptor wake)
      : site_(site), listener_(std::move(listener)), wake_(std::move(wake)) {}
  void accept_commands();
  void serve(int connection);

  struct Worker {
    explicit Worker(FileDescriptor peer) : connection(std::move(peer)) {}
    const FileDescriptor connection;  // closed after the thread has ended, so that it can be shut down at any time
    std::thread thread;
    std::atomic<bool> done{false};
  };
  void end_workers();

  Site& site_;
  const FileDescriptor listener_;
  const FileDescriptor wake_;  // an eventfd: readable when the server stops
  std::list<Worker> workers_;
  std::thread acceptor_;
};

// The client's side.
[[nodiscard]] Result<int> forward_command(const std::filesystem::path& directory, const std::vector<std::string>& arguments,
                                          const std::vector<cli::InputFile>& inputs, cli::Console& console);

}  // namespace birthmark::app
