// SPDX-License-Identifier: Apache-2.0
#include "eve_bench.h"

#include <stdlib.h>

#include <algorithm>
#include <cstdio>
#include <vector>

#include "base/file.h"
#include "eve_load.h"
#include "eve_nodes.h"
#include "primitives.h"
#include "server_process.h"

namespace birthmark::bench {
namespace {

constexpr unsigned kConnections = 16;

struct Amounts {
  std::vector<std::size_t> nodes;
  std::size_t signing;   // nodes that ask
  std::size_t requests;  // of each kind
  std::size_t registrations;
  unsigned batches;
};

Amounts amounts_of(Extent extent) {
  switch (extent) {
    case Extent::full: return {{100, 10'000, 1'000'000}, 2'000, 40'000, 10'000, 60};
    case Extent::quick: return {{100, 100'000}, 500, 8'000, 2'000, 30};
    case Extent::smoke: break;
  }
  return {{20, 200}, 10, 50, 20, 3};
}

struct Row {
  double cpu_us = 0;
  double rate = 0;
};

class EveBench {
 public:
  EveBench(std::filesystem::path server, std::filesystem::path scratch, Amounts amounts)
      : server_(std::move(server)),
        directory_(scratch / "factory"),
        config_(scratch / "config"),
        scratch_(std::move(scratch)),
        amounts_(std::move(amounts)) {}

  Status run() {
    BIRTHMARK_TRY(const Primitives primitives, measure_primitives(amounts_.batches));
    std::printf("primitives: P-256 verify %.1f us, sign %.1f us, together %.1f us\n", primitives.verify_us, primitives.sign_us,
                primitives.together_us());
    BIRTHMARK_CHECK(prepare());
    std::printf("\n%u keep-alive TLS connections; the generator shares the cores\n", kConnections);
    std::printf("     nodes  request   requests/s  server CPU/request  / primitives\n");
    std::vector<Row> uuid, config;
    for (const std::size_t count : amounts_.nodes) {
      BIRTHMARK_TRY(const auto nodes, grow_to(count));
      BIRTHMARK_TRY(ServerProcess server, start());
      BIRTHMARK_TRY(const Row asked, measure(server, nodes, uuid_request));
      BIRTHMARK_TRY(const Row fetched, measure(server, nodes, config_request));
      print(count, "uuid", asked, primitives);
      print(count, "config", fetched, primitives);
      uuid.push_back(asked);
      config.push_back(fetched);
      BIRTHMARK_CHECK(server.stop());
    }
    BIRTHMARK_CHECK(measure_registrations(primitives));
    std::printf("\nratio eve-uuid %.2f\n", uuid.front().cpu_us / primitives.together_us());
    std::printf("ratio eve-uuid-growth %.2f\n", uuid.back().cpu_us / uuid.front().cpu_us);
    std::printf("ratio eve-config-growth %.2f\n", config.back().cpu_us / config.front().cpu_us);
    return {};
  }

 private:
  Status prepare() {
    const auto log = scratch_ / "init.log";
    BIRTHMARK_CHECK(run_program(
        {server_, "init", directory_, "--factory", "bench", "--gateway-dns", "gw.bench.example", "--ostree-dns", "os.bench.example"}, log));
    BIRTHMARK_CHECK(run_program(
        {server_, "onboard", "eve-config", config_, "--dir", directory_, "--server", "gw.bench.example", "--serial", "*"}, log));
    return {};
  }

  Result<std::vector<BenchNode>> grow_to(std::size_t count) {
    auto nodes = preload_nodes(directory_, count, std::min(amounts_.signing, count - already_), already_);
    already_ = count;
    return nodes;
  }

  Result<ServerProcess> start() {
    ServerProcess::Options options;
    options.program = server_;
    options.directory = directory_;
    options.face = "eve";
    return ServerProcess::start(options);
  }

  // The server's own CPU time, TLS records and the handshakes of the few connections included.
  template <class Make>
  Result<Row> measure(ServerProcess& server, const std::vector<BenchNode>& nodes, Make make) {
    std::vector<std::string> requests;
    for (std::size_t i = 0; i < amounts_.requests; ++i) {
      if (i < nodes.size()) {
        BIRTHMARK_TRY(auto request, make(nodes[i]));
        requests.push_back(std::move(request));
      } else {
        requests.push_back(requests[i % nodes.size()]);
      }
    }
    const std::span warm = std::span(requests).first(std::min<std::size_t>(requests.size(), 200));
    BIRTHMARK_CHECK(run_eve_load(server.port(), kConnections, warm, 200));
    const double before = server.cpu_seconds();
    BIRTHMARK_TRY(const EveLoadResult load, run_eve_load(server.port(), kConnections, requests, 200));
    return Row{(server.cpu_seconds() - before) * 1e6 / static_cast<double>(load.answered), load.rate()};
  }

  Status measure_registrations(const Primitives& primitives) {
    BIRTHMARK_TRY(const auto requests, register_requests(config_, amounts_.registrations));
    BIRTHMARK_TRY(ServerProcess server, start());
    const double before = server.cpu_seconds();
    BIRTHMARK_TRY(const EveLoadResult load, run_eve_load(server.port(), kConnections, requests, 201));
    print(already_, "register", {(server.cpu_seconds() - before) * 1e6 / static_cast<double>(load.answered), load.rate()}, primitives);
    return server.stop();
  }

  static void print(std::size_t nodes, const char* what, const Row& row, const Primitives& primitives) {
    std::printf("%10zu  %-8s  %10.0f  %16.1fus  %12.2f\n", nodes, what, row.rate, row.cpu_us, row.cpu_us / primitives.together_us());
    std::fflush(stdout);
  }

  const std::filesystem::path server_, directory_, config_, scratch_;
  const Amounts amounts_;
  std::size_t already_ = 0;
};

}  // namespace

Status run_eve_bench(const std::filesystem::path& server, Extent extent) {
  const auto program = std::filesystem::absolute(server);
  std::string name = (program.parent_path() / "bench-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) return fail(ErrorCode::unavailable, "cannot make " + name + ": " + describe_errno(errno));
  const Status outcome = EveBench(program, name, amounts_of(extent)).run();
  std::error_code ignored;
  std::filesystem::remove_all(name, ignored);
  return outcome;
}

}  // namespace birthmark::bench
