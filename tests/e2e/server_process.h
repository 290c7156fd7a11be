// SPDX-License-Identifier: Apache-2.0
// The built `birthmark` and a factory of its own: a directory made by `init`, commands on it, and the server as a child process. Tests
// reach the product only through these and through its socket.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "child_process.h"

namespace birthmark::e2e {

class ServerProcess {
 public:
  struct Options {
    std::vector<std::string> environment;
    unsigned threads = 2;
    std::vector<std::string> listen{"registration=127.0.0.1:0"};
    Arguments arguments = {};  // more of them for `serve`
  };
  // Returns at once; call wait_until_ready.
  ServerProcess(const std::filesystem::path& directory, const std::filesystem::path& log, const Options& options);

  // False when it ended, or the deadline passed, before it printed `ready`.
  [[nodiscard]] bool wait_until_ready(milliseconds at_most = kPatience);
  [[nodiscard]] std::uint16_t port(const std::string& face = "registration") const;
  [[nodiscard]] pid_t pid() const { return child_.pid(); }
  [[nodiscard]] bool runs() { return !child_.wait(milliseconds(0)).has_value(); }
  void send_signal(int number) const { child_.send_signal(number); }
  [[nodiscard]] std::optional<Exit> wait(milliseconds at_most = kPatience) { return child_.wait(at_most); }
  // SIGTERM, and the exit code; -1 when it did not exit.
  [[nodiscard]] int stop();
  void kill();
  [[nodiscard]] std::string log_text() const { return read_text(log_); }

 private:
  void take_line(std::string_view line);

  std::filesystem::path log_;
  ChildProcess child_;
  std::string unread_;
  std::map<std::string, std::uint16_t> ports_;
  bool ready_ = false;
};

// One factory: "acme", in a scratch directory.
class Factory {
 public:
  enum class Pki { yes, no };
  explicit Factory(Pki pki = Pki::yes);

  [[nodiscard]] const std::filesystem::path& scratch() const { return scratch_.path(); }
  [[nodiscard]] std::filesystem::path directory() const { return scratch_.path() / "factory"; }
  [[nodiscard]] std::filesystem::path pki() const { return directory() / "pki"; }
  [[nodiscard]] std::filesystem::path database() const { return directory() / "birthmark.db"; }

  // `birthmark ARGUMENTS...`, to its end.
  [[nodiscard]] Outcome birthmark(const Arguments& arguments, const std::vector<std::string>& environment = {}) const;
  // The same with --dir; must succeed; its output.
  std::string command(Arguments arguments) const;
  void configure(std::string_view section, std::string_view setting) const;

  // Must get ready.
  [[nodiscard]] std::unique_ptr<ServerProcess> serve(const ServerProcess::Options& options = {}) const;
  // Need not.
  [[nodiscard]] std::unique_ptr<ServerProcess> try_to_serve(const ServerProcess::Options& options = {}) const;

 private:
  ScratchDirectory scratch_;
};

[[nodiscard]] std::string program();  // the path of the built `birthmark`

}  // namespace birthmark::e2e
