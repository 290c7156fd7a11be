// SPDX-License-Identifier: Apache-2.0
// posix_spawn, /proc and CPU clocks: nothing here needs the server's help but its `ready` line and `birthmark status`.
#include "server_process.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <spawn.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <utility>

extern char** environ;

namespace birthmark::bench {
namespace {

constexpr int kReadyWithinMs = 60'000;

struct Started {
  pid_t pid = -1;
  FileDescriptor output;
};

tl::unexpected<Error> system_failure(std::string_view what, int number) {
  return fail(ErrorCode::unavailable, std::string(what) + ": " + describe_errno(number));
}

// Standard output into a pipe, standard error into `log`.
Result<Started> spawn(const std::vector<std::string>& arguments, const std::string& log) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return system_failure("pipe", errno);
  Started started{.pid = -1, .output = FileDescriptor(ends[0])};
  const FileDescriptor child_end(ends[1]);
  std::vector<char*> words;
  for (const std::string& argument : arguments) words.push_back(const_cast<char*>(argument.c_str()));
  words.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, child_end.get(), STDOUT_FILENO);
  ::posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  const int error = ::posix_spawn(&started.pid, words[0], &actions, nullptr, words.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  if (error != 0) return system_failure("cannot run " + arguments[0], error);
  return started;
}

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

double number_after(std::string_view text, std::string_view key) {
  const std::size_t at = text.find(key);
  double number = 0;
  if (at == std::string_view::npos) return number;
  const std::size_t begin = text.find_first_of("0123456789", at + key.size());
  if (begin != std::string_view::npos) std::from_chars(text.data() + begin, text.data() + text.size(), number);
  return number;
}

}  // namespace

Result<std::string> run_program(const std::vector<std::string>& arguments, const std::filesystem::path& log) {
  BIRTHMARK_TRY(const Started started, spawn(arguments, log));
  std::string output;
  std::array<char, 4'096> buffer;
  for (ssize_t got = 1; got > 0;) {
    got = ::read(started.output.get(), buffer.data(), buffer.size());
    if (got > 0) output.append(buffer.data(), static_cast<std::size_t>(got));
  }
  int status = 0;
  ::waitpid(started.pid, &status, 0);
  if (status != 0) {
    const auto said = read_file(log);
    return fail(ErrorCode::unavailable, arguments[0] + " " + arguments[1] + " failed", said ? output + *said : output);
  }
  return output;
}

Result<ServerProcess> ServerProcess::start(const Options& options) {
  std::vector<std::string> arguments = {options.program, "serve", "--dir", options.directory, "--listen", "registration=127.0.0.1:0"};
  if (options.threads != 0) arguments.insert(arguments.end(), {"--threads", std::to_string(options.threads)});
  const Confined confined(options.one_core);
  BIRTHMARK_TRY(Started started, spawn(arguments, options.directory / "server.log"));
  ServerProcess server(options, started.pid, std::move(started.output));
  BIRTHMARK_CHECK(server.wait_until_ready());
  return server;
}

ServerProcess::ServerProcess(ServerProcess&& other) noexcept
    : options_(std::move(other.options_)),
      pid_(std::exchange(other.pid_, -1)),
      output_(std::move(other.output_)),
      unread_(std::move(other.unread_)),
      port_(other.port_) {}

ServerProcess::~ServerProcess() {
  if (pid_ > 0) static_cast<void>(stop());
}

Status ServerProcess::stop() {
  ::kill(pid_, SIGTERM);
  int status = 0;
  ::waitpid(std::exchange(pid_, -1), &status, 0);
  if (status == 0) return {};
  return fail(ErrorCode::internal, "the server ended badly, see " + (options_.directory / "server.log").string());
}

Result<std::string> ServerProcess::read_line() {
  std::array<char, 1'024> buffer;
  std::size_t end = std::string::npos;
  while ((end = unread_.find('\n')) == std::string::npos) {
    pollfd watched{.fd = output_.get(), .events = POLLIN, .revents = 0};
    const ssize_t got = ::poll(&watched, 1, kReadyWithinMs) > 0 ? ::read(output_.get(), buffer.data(), buffer.size()) : 0;
    if (got <= 0) return fail(ErrorCode::unavailable, "the server did not get ready, see " + (options_.directory / "server.log").string());
    unread_.append(buffer.data(), static_cast<std::size_t>(got));
  }
  std::string line = unread_.substr(0, end);
  unread_.erase(0, end + 1);
  return line;
}

// "listening registration 127.0.0.1:PORT" ... "ready"
Status ServerProcess::wait_until_ready() {
  while (true) {
    BIRTHMARK_TRY(const std::string line, read_line());
    if (line.starts_with("listening registration ")) {
      const std::string_view port = std::string_view(line).substr(line.rfind(':') + 1);
      std::from_chars(port.data(), port.data() + port.size(), port_);
    }
    if (line == "ready") return {};
  }
}

double ServerProcess::cpu_seconds() const {
  clockid_t clock{};
  timespec time{};
  if (::clock_getcpuclockid(pid_, &clock) != 0 || ::clock_gettime(clock, &time) != 0) return 0;
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

double ServerProcess::status_field_mb(std::string_view name) const {
  std::string text;
  const FileDescriptor file(::open(("/proc/" + std::to_string(pid_) + "/status").c_str(), O_RDONLY | O_CLOEXEC));
  std::array<char, 8'192> buffer;
  const ssize_t got = ::read(file.get(), buffer.data(), buffer.size());
  if (got > 0) text.assign(buffer.data(), static_cast<std::size_t>(got));
  return number_after(text, name) / 1024;
}

double ServerProcess::resident_mb() const {
  return status_field_mb("VmRSS:");
}
double ServerProcess::peak_mb() const {
  return status_field_mb("VmHWM:");
}

Result<StoreFigures> ServerProcess::store_figures() const {
  BIRTHMARK_TRY(const std::string text, run_program({options_.program, "status", "--dir", options_.directory, "--format", "json"},
                                                    options_.directory / "server.log"));
  return StoreFigures{
      .commits = number_after(text, "\"commits\":"), .jobs = number_after(text, "\"jobs\":"), .fsyncs = number_after(text, "\"fsyncs\":")};
}

}  // namespace birthmark::bench
