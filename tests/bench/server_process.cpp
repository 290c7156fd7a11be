// SPDX-License-Identifier: Apache-2.0
// Nothing here needs the server's help but its `ready` line and `birthmark status`.
#include "server_process.h"

#include <poll.h>
#include <sched.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <csignal>

namespace birthmark::bench {
namespace {

constexpr int kReadyWithinMs = 60'000;

// Children inherit the affinity of the thread that makes them.
class Confined {
 public:
  explicit Confined(std::optional<unsigned> core) : active_(core.has_value()) {
    if (!active_) return;
    ::sched_getaffinity(0, sizeof before_, &before_);
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(*core, &one);
    ::sched_setaffinity(0, sizeof one, &one);
  }
  ~Confined() {
    if (active_) ::sched_setaffinity(0, sizeof before_, &before_);
  }
  Confined(const Confined&) = delete;
  Confined& operator=(const Confined&) = delete;

 private:
  bool active_;
  cpu_set_t before_{};
};

}  // namespace

Result<ServerProcess> ServerProcess::start(const Options& options) {
  ChildProgram::Options child;
  child.arguments = {options.program, "serve", "--dir", options.directory, "--listen", options.face + "=127.0.0.1:0"};
  if (options.threads != 0) child.arguments.insert(child.arguments.end(), {"--threads", std::to_string(options.threads)});
  child.log = options.directory / "server.log";
  const Confined confined(options.one_core);
  BIRTHMARK_TRY(ChildProgram started, ChildProgram::start(child));
  ServerProcess server(options, std::move(started));
  BIRTHMARK_CHECK(server.wait_until_ready());
  return server;
}

ServerProcess::~ServerProcess() {
  if (child_.pid() > 0) static_cast<void>(stop());
}

Status ServerProcess::stop() {
  child_.signal(SIGTERM);
  if (child_.wait() == 0) return {};
  return fail(ErrorCode::internal, "the server ended badly, see " + (options_.directory / "server.log").string());
}

Result<std::string> ServerProcess::read_line() {
  std::array<char, 1'024> buffer;
  std::size_t end = std::string::npos;
  const int output = child_.output().get();
  while ((end = unread_.find('\n')) == std::string::npos) {
    pollfd watched{.fd = output, .events = POLLIN, .revents = 0};
    const ssize_t got = ::poll(&watched, 1, kReadyWithinMs) > 0 ? ::read(output, buffer.data(), buffer.size()) : 0;
    if (got <= 0) {
      const auto said = read_file(options_.directory / "server.log");
      return fail(ErrorCode::unavailable, "the server did not get ready", said ? *said : std::string());
    }
    unread_.append(buffer.data(), static_cast<std::size_t>(got));
  }
  std::string line = unread_.substr(0, end);
  unread_.erase(0, end + 1);
  return line;
}

// "listening FACE 127.0.0.1:PORT" ... "ready"
Status ServerProcess::wait_until_ready() {
  while (true) {
    BIRTHMARK_TRY(const std::string line, read_line());
    if (line.starts_with("listening " + options_.face + " ")) {
      const std::string_view port = std::string_view(line).substr(line.rfind(':') + 1);
      std::from_chars(port.data(), port.data() + port.size(), port_);
    }
    if (line == "ready") return {};
  }
}

Result<StoreFigures> ServerProcess::store_figures() const {
  BIRTHMARK_TRY(const std::string text, run_program({options_.program, "status", "--dir", options_.directory, "--format", "json"},
                                                    options_.directory / "server.log"));
  return StoreFigures{
      .commits = number_after(text, "\"commits\":"), .jobs = number_after(text, "\"jobs\":"), .fsyncs = number_after(text, "\"fsyncs\":")};
}

}  // namespace birthmark::bench
