// SPDX-License-Identifier: Apache-2.0
// The order of the measurements, and how they are printed.
#include "sign_bench.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "load_generator.h"
#include "net/client.h"
#include "preload.h"
#include "primitives.h"
#include "scratch_directory.h"
#include "server_process.h"
#include "sign_requests.h"

namespace birthmark::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr const char* kFactory = "bench";
constexpr std::array<unsigned, 3> kConnections = {1, 8, 64};
constexpr unsigned kScalingRounds = 2;

// How much of everything.
struct Amounts {
  std::array<std::size_t, 3> requests;  // for each of kConnections
  std::size_t warm_up;                  // before each server's first measurement
  std::size_t scaling_requests;         // in each round, for one and for two threads
  std::size_t devices;
  unsigned batches;  // of primitives

  [[nodiscard]] std::size_t all_requests() const {
    return 2 * (requests[0] + requests[1] + requests[2] + warm_up) + 2 * kScalingRounds * (scaling_requests + warm_up);
  }
};

Amounts amounts_of(Extent extent) {
  switch (extent) {
    case Extent::full:
      return {.requests = {5'000, 15'000, 40'000}, .warm_up = 500, .scaling_requests = 10'000, .devices = 1'000'000, .batches = 60};
    case Extent::quick:
      return {.requests = {600, 2'500, 8'000}, .warm_up = 100, .scaling_requests = 2'000, .devices = 100'000, .batches = 30};
    case Extent::smoke: break;
  }
  return {.requests = {20, 50, 100}, .warm_up = 10, .scaling_requests = 50, .devices = 1'000, .batches = 3};
}

struct Row {
  unsigned connections = 0;
  double cpu_us = 0;  // of the server, per request
  double rate = 0;
  double p50_us = 0;
  double p99_us = 0;
  double fsyncs = 0;  // per request
  double batch = 0;   // requests per commit
  double server_cores = 0;
  double generator_cores = 0;
};

double seconds_since(Clock::time_point begun) {
  return std::chrono::duration<double>(Clock::now() - begun).count();
}

// What one fdatasync of a 4 KiB append costs on that disk: it bounds the rate of a single connection.
double measure_fsync_us(const std::filesystem::path& directory) {
  const FileDescriptor file(::open((directory / "fsync-probe").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  const std::array<char, 4'096> page{};
  std::vector<double> times;
  for (int i = 0; i < 30; ++i) {
    const auto begun = Clock::now();
    if (::write(file.get(), page.data(), page.size()) < 0 || ::fdatasync(file.get()) != 0) return 0;
    times.push_back(seconds_since(begun) * 1e6);
  }
  std::nth_element(times.begin(), times.begin() + 15, times.end());
  return times[15];
}

class SignBench {
 public:
  SignBench(std::filesystem::path server, std::filesystem::path scratch, const Amounts& amounts)
      : server_(std::move(server)), directory_(scratch / "factory"), scratch_(std::move(scratch)), amounts_(amounts) {}

  Status run() {
    BIRTHMARK_CHECK(prepare());
    BIRTHMARK_TRY(const std::vector<Row> empty, measure_rows("no device registered before"));
    BIRTHMARK_TRY(const double scaling, measure_scaling());
    BIRTHMARK_CHECK(preload());
    BIRTHMARK_TRY(const std::vector<Row> full, measure_rows(std::to_string(amounts_.devices) + " devices registered before"));
    BIRTHMARK_TRY(const Primitives after, measure_primitives(amounts_.batches));
    std::printf("\nthe primitives again, at the end: P-256 verify %.1f us, sign %.1f us\n", after.verify_us, after.sign_us);
    print_ratios(empty, full, scaling);
    return {};
  }

 private:
  Status prepare() {
    BIRTHMARK_TRY(primitives_, measure_primitives(amounts_.batches));
    std::printf("primitives, CPU time on each of all cores at once (medians): P-256 verify %.1f us, sign %.1f us, together %.1f us\n",
                primitives_.verify_us, primitives_.sign_us, primitives_.together_us());
    std::printf("disk: one fdatasync of 4 KiB %.0f us\n", measure_fsync_us(scratch_));
    const auto begun = Clock::now();
    BIRTHMARK_TRY(requests_, make_sign_requests(amounts_.all_requests(), kFactory));
    std::printf("%zu requests made in %.1f s, every key and UUID used once\n", requests_.size(), seconds_since(begun));
    std::fflush(stdout);
    BIRTHMARK_TRY(const std::string said, run_program({server_, "init", directory_, "--factory", kFactory, "--gateway-dns",
                                                       "gw.bench.example", "--ostree-dns", "os.bench.example"},
                                                      scratch_ / "init.log"));
    return {};
  }

  // The next `count` requests nobody has used.
  std::span<const std::string> take(std::size_t count) {
    const std::size_t begin = used_;
    used_ += count;
    return std::span(requests_).subspan(begin, count);
  }

  Result<ServerProcess> start(unsigned threads, std::optional<unsigned> one_core) {
    return ServerProcess::start({.program = server_, .directory = directory_, .threads = threads, .one_core = one_core});
  }

  Result<Row> measure(ServerProcess& server, unsigned connections, std::size_t count) {
    BIRTHMARK_TRY(const StoreFigures before, server.store_figures());
    const double cpu_before = server.cpu_seconds();
    BIRTHMARK_TRY(const LoadResult load, run_load(server.port(), connections, take(count), 201));
    const double cpu = server.cpu_seconds() - cpu_before;
    BIRTHMARK_TRY(const StoreFigures after, server.store_figures());
    const auto answered = static_cast<double>(load.answered);
    return Row{.connections = connections,
               .cpu_us = cpu * 1e6 / answered,
               .rate = load.rate(),
               .p50_us = load.percentile_us(0.50),
               .p99_us = load.percentile_us(0.99),
               .fsyncs = (after.fsyncs - before.fsyncs) / answered,
               .batch = (after.jobs - before.jobs) / std::max(1.0, after.commits - before.commits),
               .server_cores = cpu / load.seconds,
               .generator_cores = load.generator_cpu_seconds / load.seconds};
  }

  Status cold_start(std::optional<ServerProcess>& server) {
    const auto begun = Clock::now();
    BIRTHMARK_TRY(ServerProcess started, start(0, std::nullopt));
    net::ClientRequest ping;
    ping.method = "HEAD";
    ping.url = "http://127.0.0.1:" + std::to_string(started.port()) + "/sign";
    BIRTHMARK_TRY(const net::ClientResponse answer, net::http_request(ping));
    if (answer.status >= 500) return fail(ErrorCode::internal, "the ping was answered with " + std::to_string(answer.status));
    std::printf("cold start to the first answer %.0f ms, idle memory %.1f MB\n", seconds_since(begun) * 1e3, started.resident_mb());
    server.emplace(std::move(started));
    return {};
  }

  Result<std::vector<Row>> measure_rows(const std::string& title) {
    std::printf("\n%s\n", title.c_str());
    std::optional<ServerProcess> server;
    BIRTHMARK_CHECK(cold_start(server));
    BIRTHMARK_TRY(const LoadResult warm, run_load(server->port(), 8, take(amounts_.warm_up), 201));
    std::printf("connections  requests/s  server CPU/request  / primitives    p50 us    p99 us  fsyncs/request  requests/commit\n");
    std::vector<Row> rows;
    for (std::size_t i = 0; i < kConnections.size(); ++i) {
      BIRTHMARK_TRY(const Row row, measure(*server, kConnections[i], amounts_.requests[i]));
      std::printf("%11u  %10.0f  %16.1fus  %12.2f  %8.0f  %8.0f  %14.3f  %15.1f\n", row.connections, row.rate, row.cpu_us, ratio(row),
                  row.p50_us, row.p99_us, row.fsyncs, row.batch);
      std::fflush(stdout);
      rows.push_back(row);
    }
    std::printf("peak memory %.1f MB\n", server->peak_mb());
    BIRTHMARK_CHECK(server->stop());
    return rows;
  }

  Result<Row> measure_threads(unsigned threads, std::optional<unsigned> one_core) {
    BIRTHMARK_TRY(ServerProcess server, start(threads, one_core));
    BIRTHMARK_TRY(const LoadResult warm, run_load(server.port(), 8, take(amounts_.warm_up), 201));
    BIRTHMARK_TRY(const Row row, measure(server, 64, amounts_.scaling_requests));
    std::printf("%7u  %10.0f  %16.1fus  %12.2f  %15.2f\n", threads, row.rate, row.cpu_us, row.server_cores, row.generator_cores);
    BIRTHMARK_CHECK(server.stop());
    return row;
  }

  // The load generator needs a good part of a core itself, so requests a second on two cores say little about the server. What counts is
  // how much CPU a request costs: two saturated cores carry 2 / cost(two threads), one carries 1 / cost(one thread on one core).
  // Neighbours on the machine only ever add to a cost, so the lower one of two rounds counts.
  Result<double> measure_scaling() {
    std::printf("\nscaling, 64 connections; the generator shares the cores (one thread: confined to one core)\n");
    std::printf("threads  requests/s  server CPU/request  cores it used  generator cores\n");
    double one_us = std::numeric_limits<double>::max();
    double two_us = one_us;
    for (unsigned round = 0; round < kScalingRounds; ++round) {
      BIRTHMARK_TRY(const Row one, measure_threads(1, 0U));
      BIRTHMARK_TRY(const Row two, measure_threads(2, std::nullopt));
      one_us = std::min(one_us, one.cpu_us);
      two_us = std::min(two_us, two.cpu_us);
    }
    std::printf("two saturated cores would carry %.0f requests/s, one %.0f\n", 2e6 / two_us, 1e6 / one_us);
    return 2 * one_us / two_us;
  }

  Status preload() {
    std::printf("\nregistering %zu devices in the stopped server's database ...\n", amounts_.devices);
    std::fflush(stdout);
    const auto begun = Clock::now();
    const auto progress = [&](std::size_t done) {
      std::printf("  %zu after %.1f s\n", done, seconds_since(begun));
      std::fflush(stdout);
    };
    BIRTHMARK_CHECK(preload_devices(directory_, amounts_.devices, progress));
    std::printf("  done after %.1f s\n", seconds_since(begun));
    return {};
  }

  [[nodiscard]] double ratio(const Row& row) const { return row.cpu_us / primitives_.together_us(); }

  void print_ratios(const std::vector<Row>& empty, const std::vector<Row>& full, double scaling) const {
    std::printf("\nratio sign %.2f\n", ratio(empty[2]));
    std::printf("ratio sign-1 %.2f\n", ratio(empty[0]));
    std::printf("ratio sign-8 %.2f\n", ratio(empty[1]));
    std::printf("ratio sign-growth %.2f\n", full[2].cpu_us / empty[2].cpu_us);
    std::printf("ratio sign-two-cores %.2f\n", scaling);
  }

  std::filesystem::path server_;
  std::filesystem::path directory_;
  std::filesystem::path scratch_;
  Amounts amounts_;
  Primitives primitives_;
  std::vector<std::string> requests_;
  std::size_t used_ = 0;
};

}  // namespace

Status run_sign_bench(const std::filesystem::path& server, Extent extent) {
  BIRTHMARK_TRY(const ScratchDirectory scratch, ScratchDirectory::make(std::filesystem::absolute(server).parent_path()));
  return SignBench(std::filesystem::absolute(server), scratch.path(), amounts_of(extent)).run();
}

}  // namespace birthmark::bench
