// SPDX-License-Identifier: Apache-2.0
// posix_spawn, /proc and CPU clocks.
#include "child_program.h"

#include <fcntl.h>
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

tl::unexpected<Error> system_failure(std::string_view what, int number) {
  return fail(ErrorCode::unavailable, std::string(what) + ": " + describe_errno(number));
}

struct Pipe {
  FileDescriptor reading;
  FileDescriptor writing;
};

Result<Pipe> make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return system_failure("pipe", errno);
  return Pipe{FileDescriptor(ends[0]), FileDescriptor(ends[1])};
}

}  // namespace

Result<ChildProgram> ChildProgram::start(const Options& options) {
  ChildProgram child;
  std::vector<char*> words;
  for (const std::string& argument : options.arguments) words.push_back(const_cast<char*>(argument.c_str()));
  words.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  Pipe in;
  Pipe out;
  if (options.keep_input_open) {
    BIRTHMARK_TRY(in, make_pipe());
    ::posix_spawn_file_actions_adddup2(&actions, in.reading.get(), STDIN_FILENO);
  }
  if (options.discard_output) {
    ::posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  } else {
    BIRTHMARK_TRY(out, make_pipe());
    ::posix_spawn_file_actions_adddup2(&actions, out.writing.get(), STDOUT_FILENO);
  }
  ::posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, options.log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  const int error = ::posix_spawnp(&child.pid_, words[0], &actions, nullptr, words.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  if (error != 0) return system_failure("cannot run " + options.arguments[0], error);
  child.input_ = std::move(in.writing);
  child.output_ = std::move(out.reading);
  return child;
}

ChildProgram::ChildProgram(ChildProgram&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)), input_(std::move(other.input_)), output_(std::move(other.output_)) {}

ChildProgram::~ChildProgram() {
  if (pid_ <= 0) return;
  signal(SIGKILL);
  static_cast<void>(wait());
}

void ChildProgram::signal(int number) const {
  if (pid_ > 0) ::kill(pid_, number);
}

int ChildProgram::wait() {
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

Result<std::string> run_program(const std::vector<std::string>& arguments, const std::filesystem::path& log) {
  ChildProgram::Options options;
  options.arguments = arguments;
  options.log = log;
  BIRTHMARK_TRY(ChildProgram child, ChildProgram::start(options));
  std::string output;
  std::array<char, 4'096> buffer;
  for (ssize_t got = 1; got > 0;) {
    got = ::read(child.output().get(), buffer.data(), buffer.size());
    if (got > 0) output.append(buffer.data(), static_cast<std::size_t>(got));
  }
  if (child.wait() == 0) return output;
  const auto said = read_file(log);
  return fail(ErrorCode::unavailable, arguments[0] + " " + arguments[1] + " failed", said ? output + *said : output);
}

double cpu_seconds_of(pid_t pid) {
  clockid_t clock{};
  timespec time{};
  if (::clock_getcpuclockid(pid, &clock) != 0 || ::clock_gettime(clock, &time) != 0) return 0;
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

double status_field_mb(pid_t pid, std::string_view name) {
  std::string text;
  const FileDescriptor file(::open(("/proc/" + std::to_string(pid) + "/status").c_str(), O_RDONLY | O_CLOEXEC));
  std::array<char, 8'192> buffer;
  const ssize_t got = ::read(file.get(), buffer.data(), buffer.size());
  if (got > 0) text.assign(buffer.data(), static_cast<std::size_t>(got));
  return number_after(text, name) / 1024;
}

double number_after(std::string_view text, std::string_view key) {
  const std::size_t at = text.find(key);
  double number = 0;
  if (at == std::string_view::npos) return number;
  const std::size_t begin = text.find_first_of("0123456789", at + key.size());
  if (begin != std::string_view::npos) std::from_chars(text.data() + begin, text.data() + text.size(), number);
  return number;
}

}  // namespace birthmark::bench
