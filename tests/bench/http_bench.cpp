// SPDX-License-Identifier: Apache-2.0
// A child process serves, so that its CPU clock holds nothing of the generator.
#include "http_bench.h"

#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>

#include "base/file.h"
#include "load_generator.h"
#include "net/server.h"

namespace birthmark::bench {
namespace {

constexpr std::size_t kRequestBody = 1'150;  // as lmp-device-register sends
constexpr std::size_t kAnswerBody = 2'600;   // as /sign answers

class ReadyAnswer final : public net::Handler {
 public:
  [[nodiscard]] Task<net::Response> handle(const net::Request& /*request*/) override {
    net::Response response;
    response.status = 201;
    response.body = body_;
    co_return response;
  }

 private:
  std::string body_ = std::string(kAnswerBody, 'x');
};

struct Child {
  pid_t pid = -1;
  std::uint16_t port = 0;
};

// Never returns: the parent ends it.
[[noreturn]] void serve_in_child(int report) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  ReadyAnswer handler;
  auto server = net::Server::create(1, {});
  if (!server) ::_exit(1);
  const net::Endpoint any_port{.host = "127.0.0.1", .port = 0};
  const auto bound = (*server)->listen(any_port, handler);
  if (!bound || !(*server)->start()) ::_exit(1);
  if (::write(report, &bound->port, sizeof bound->port) != sizeof bound->port) ::_exit(1);
  while (true) ::pause();
}

Result<Child> start_child() {
  std::array<int, 2> ends{};
  if (::pipe(ends.data()) != 0) return fail(ErrorCode::unavailable, "pipe: " + describe_errno(errno));
  const FileDescriptor reading(ends[0]);
  const FileDescriptor writing(ends[1]);
  Child child;
  child.pid = ::fork();
  if (child.pid == 0) serve_in_child(writing.get());
  if (child.pid < 0 || ::read(reading.get(), &child.port, sizeof child.port) != sizeof child.port) {
    return fail(ErrorCode::unavailable, "the child server did not start");
  }
  return child;
}

double cpu_seconds(pid_t pid) {
  clockid_t clock{};
  timespec time{};
  if (::clock_getcpuclockid(pid, &clock) != 0 || ::clock_gettime(clock, &time) != 0) return 0;
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

Status measure(const Child& child, std::size_t count) {
  const std::string request =
      "POST /sign HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: */*\r\nContent-type: application/json\r\nContent-Length: " +
      std::to_string(kRequestBody) + "\r\n\r\n" + std::string(kRequestBody, 'q');
  const std::vector<std::string> requests(count, request);
  std::printf("connections  requests/s  server CPU/request    p50 us    p99 us\n");
  for (const unsigned connections : {1U, 8U, 64U}) {
    const double before = cpu_seconds(child.pid);
    BIRTHMARK_TRY(const LoadResult load, run_load(child.port, connections, requests, 201));
    const double cpu_us = (cpu_seconds(child.pid) - before) * 1e6 / static_cast<double>(load.answered);
    std::printf("%11u  %10.0f  %16.2fus  %8.0f  %8.0f\n", connections, load.rate(), cpu_us, load.percentile_us(0.5),
                load.percentile_us(0.99));
  }
  return {};
}

}  // namespace

Status run_http_bench(Extent extent) {
  BIRTHMARK_TRY(const Child child, start_child());
  const std::size_t count = extent == Extent::full ? 300'000 : extent == Extent::quick ? 100'000 : 1'000;
  const Status measured = measure(child, count);
  ::kill(child.pid, SIGKILL);
  ::waitpid(child.pid, nullptr, 0);
  return measured;
}

Status serve_http(std::uint16_t port, unsigned threads) {
  ReadyAnswer handler;
  BIRTHMARK_TRY(const auto server, net::Server::create(threads, {}));
  const net::Endpoint endpoint{.host = "127.0.0.1", .port = port};
  BIRTHMARK_TRY(const net::Endpoint bound, server->listen(endpoint, handler));
  BIRTHMARK_CHECK(server->start());
  std::printf("listening on %s\n", net::to_string(bound).c_str());
  std::fflush(stdout);
  while (true) ::pause();
}

}  // namespace birthmark::bench
