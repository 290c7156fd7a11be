// SPDX-License-Identifier: Apache-2.0
// The order of the measurements, and how they are printed. Neighbours on the machine only ever add to a CPU time, so of several rounds the
// lowest counts; the rounds of what is compared alternate.
#include "gateway_bench.h"

#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <optional>
#include <string>
#include <thread>

#include "gateway_factory.h"
#include "scratch_directory.h"
#include "tls_load.h"

namespace birthmark::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr const char* kNotModified = "HTTP/1.1 304 ";
constexpr const char* kFound = "HTTP/1.1 200 ";
constexpr unsigned kConnections = 32;
constexpr double kPacedShare = 0.25;  // of the handshake rate, while p99 with and without the operator is compared

struct Amounts {
  GatewayFactory::Amounts factory;
  std::size_t visits;  // in each round
  unsigned rounds;
  std::size_t keep_alive_requests;
  double paced_seconds;
  unsigned idle_connections;
};

Amounts amounts_of(Extent extent) {
  switch (extent) {
    case Extent::full:
      return {.factory = {.known = 1'000'000, .fleet = 10'000},
              .visits = 5'000,
              .rounds = 4,
              .keep_alive_requests = 400'000,
              .paced_seconds = 20,
              .idle_connections = 9'990};
    case Extent::quick:
      return {.factory = {.known = 100'000, .fleet = 2'000},
              .visits = 800,
              .rounds = 2,
              .keep_alive_requests = 60'000,
              .paced_seconds = 3,
              .idle_connections = 1'000};
    case Extent::smoke: break;
  }
  return {.factory = {.known = 1'000, .fleet = 64},
          .visits = 64,
          .rounds = 1,
          .keep_alive_requests = 500,
          .paced_seconds = 0.2,
          .idle_connections = 50};
}

struct Row {
  double cpu_us = 0;  // of the server, per visit or request
  double rate = 0;
  double p50_us = 0;
  double p99_us = 0;
};

Row better(const std::optional<Row>& earlier, const Row& row) {
  if (!earlier) return row;
  return {std::min(earlier->cpu_us, row.cpu_us), std::max(earlier->rate, row.rate), std::min(earlier->p50_us, row.p50_us),
          std::min(earlier->p99_us, row.p99_us)};
}

// `birthmark device list` again and again, on a thread of its own.
class Operator {
 public:
  explicit Operator(const GatewayFactory& factory) : factory_(factory), thread_([this] { work(); }) {}
  ~Operator() { static_cast<void>(leave()); }
  Operator(const Operator&) = delete;
  Operator& operator=(const Operator&) = delete;

  // How many whole lists were read; an error when one failed.
  Result<unsigned> leave() {
    leaving_ = true;
    if (thread_.joinable()) thread_.join();
    if (failed_) return fail(ErrorCode::internal, "`birthmark device list` failed, see " + factory_.log().string());
    return lists_;
  }

 private:
  void work() {
    ChildProgram::Options options;
    options.arguments = {factory_.program(), "device", "list", "--dir", factory_.directory(), "--format", "json"};
    options.log = factory_.log();
    options.discard_output = true;
    while (!leaving_ && !failed_) {
      auto child = ChildProgram::start(options);
      failed_ = !child || child->wait() != 0;
      if (!failed_) ++lists_;
    }
  }

  const GatewayFactory& factory_;
  std::atomic<bool> leaving_ = false;
  std::atomic<bool> failed_ = false;
  std::atomic<unsigned> lists_ = 0;
  std::thread thread_;
};

// Every idle connection is a descriptor here too.
void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

class GatewayBench {
 public:
  GatewayBench(const GatewayFactory& factory, TlsLoad& load, const Amounts& amounts) : factory_(factory), load_(load), amounts_(amounts) {}

  Status run() {
    print_heading();
    BIRTHMARK_CHECK(first_contacts());
    BIRTHMARK_CHECK(handshakes());
    BIRTHMARK_CHECK(resumed());
    BIRTHMARK_CHECK(keep_alive());
    BIRTHMARK_CHECK(beside_an_operator());
    BIRTHMARK_CHECK(idle());
    print_ratios();
    return {};
  }

 private:
  static void print_heading() { std::printf("\n%-44s  per second  server CPU each    p50 us    p99 us\n", ""); }
  static void print(const char* what, const Row& row) {
    std::printf("%-44s  %10.0f  %13.1fus  %8.0f  %8.0f\n", what, row.rate, row.cpu_us, row.p50_us, row.p99_us);
    std::fflush(stdout);
  }

  Result<Row> visits(pid_t server, const VisitPlan& plan) {
    const double before = cpu_seconds_of(server);
    BIRTHMARK_TRY(const LoadResult load, load_.visit(plan));
    return row_of(load, cpu_seconds_of(server) - before);
  }

  static Row row_of(const LoadResult& load, double cpu) {
    return {.cpu_us = cpu * 1e6 / static_cast<double>(load.answered),
            .rate = load.rate(),
            .p50_us = load.percentile_us(0.50),
            .p99_us = load.percentile_us(0.99)};
  }

  // Every device of the fleet for the first time, then, the server being new, for the first time since it started.
  Status first_contacts() {
    for (const bool known : {false, true}) {
      BIRTHMARK_TRY(ServerProcess server, factory_.start(0));
      const VisitPlan plan{.port = server.port(),
                           .request = known ? check_in(false) : first_check_in(),
                           .expected = known ? kNotModified : kFound,
                           .connections = kConnections,
                           .visits = amounts_.factory.fleet};
      BIRTHMARK_TRY(const Row row, visits(server.pid(), plan));
      print(known ? "handshake + 304, device not seen since start" : "first contact + 200", row);
      (known ? first_visit_ : first_contact_) = row;
      BIRTHMARK_CHECK(server.stop());
    }
    return {};
  }

  Status handshakes() {
    BIRTHMARK_TRY(const auto plain, factory_.start_reference({}));
    BIRTHMARK_TRY(const auto partial, factory_.start_reference({"-partial_chain"}));
    BIRTHMARK_TRY(ServerProcess server, factory_.start(0));
    VisitPlan ours{.port = server.port(),
                   .request = check_in(false),
                   .expected = kNotModified,
                   .connections = kConnections,
                   .visits = amounts_.factory.fleet};
    BIRTHMARK_TRY(const LoadResult warm, load_.visit(ours));
    ours.visits = amounts_.visits;
    VisitPlan theirs{.port = 0, .request = {}, .connections = kConnections, .visits = amounts_.visits};
    std::optional<Row> plain_row, partial_row, our_row;
    for (unsigned i = 0; i < amounts_.rounds; ++i) {
      theirs.port = plain.port;
      BIRTHMARK_TRY(const Row one, visits(plain.program.pid(), theirs));
      plain_row = better(plain_row, one);
      theirs.port = partial.port;
      BIRTHMARK_TRY(const Row two, visits(partial.program.pid(), theirs));
      partial_row = better(partial_row, two);
      BIRTHMARK_TRY(const Row three, visits(server.pid(), ours));
      our_row = better(our_row, three);
    }
    print("openssl s_server, handshake alone", *plain_row);
    print("openssl s_server -partial_chain, the same", *partial_row);
    print("handshake + 304, device seen before", *our_row);
    plain_ = *plain_row;
    partial_ = *partial_row;
    handshake_ = *our_row;
    return server.stop();
  }

  Status resumed() {
    BIRTHMARK_TRY(ServerProcess server, factory_.start(1));
    VisitPlan plan{.port = server.port(),
                   .request = check_in(false),
                   .expected = kNotModified,
                   .connections = kConnections,
                   .visits = amounts_.factory.fleet};
    BIRTHMARK_TRY(const Row full, visits(server.pid(), plan));
    print("gateway.tickets = 1: full handshake + 304", full);
    plan.resume = true;
    BIRTHMARK_TRY(resumed_, visits(server.pid(), plan));
    print("gateway.tickets = 1: resumed + 304", resumed_);
    return server.stop();
  }

  Status keep_alive() {
    BIRTHMARK_TRY(ServerProcess server, factory_.start(0));
    std::optional<Row> best;
    for (unsigned i = 0; i < amounts_.rounds; ++i) {
      const KeepAlivePlan plan{.port = server.port(),
                               .request = check_in(true),
                               .expected = kNotModified,
                               .connections = 64,
                               .requests = amounts_.keep_alive_requests};
      double cpu = 0;
      BIRTHMARK_TRY(const LoadResult load, load_.keep_alive(plan, [&] { cpu = server.cpu_seconds(); }));
      best = better(best, row_of(load, server.cpu_seconds() - cpu));
    }
    keep_alive_ = *best;
    print("304 on 64 connections that stay", keep_alive_);
    return server.stop();
  }

  Status beside_an_operator() {
    BIRTHMARK_TRY(ServerProcess server, factory_.start(0));
    VisitPlan plan{.port = server.port(),
                   .request = check_in(false),
                   .expected = kNotModified,
                   .connections = kConnections,
                   .visits = amounts_.factory.fleet};
    BIRTHMARK_TRY(const LoadResult warm, load_.visit(plan));
    plan.rate = handshake_.rate * kPacedShare;
    plan.visits = static_cast<std::size_t>(plan.rate * amounts_.paced_seconds) + 1;
    std::optional<Row> alone, beside;
    unsigned lists = 0;
    for (unsigned i = 0; i < 2; ++i) {
      BIRTHMARK_TRY(const Row quiet, visits(server.pid(), plan));
      alone = better(alone, quiet);
      Operator operator_loop(factory_);
      BIRTHMARK_TRY(const Row busy, visits(server.pid(), plan));
      beside = better(beside, busy);
      BIRTHMARK_TRY(const unsigned read, operator_loop.leave());
      lists += read;
    }
    alone_ = *alone;
    beside_ = *beside;
    print("handshake + 304, a quarter of that rate", alone_);
    print("the same, beside an operator's lists", beside_);
    std::printf("  the operator read %u lists of %zu devices\n", lists, amounts_.factory.known + amounts_.factory.fleet);
    return server.stop();
  }

  Status idle() {
    BIRTHMARK_TRY(ServerProcess server, factory_.start(0));
    const double before = server.resident_mb();
    const KeepAlivePlan plan{.port = server.port(),
                             .request = check_in(true),
                             .expected = kNotModified,
                             .connections = amounts_.idle_connections,
                             .requests = 0};
    BIRTHMARK_CHECK(load_.hold(plan));
    const double held = server.resident_mb();
    std::printf("\n%u idle connections: %.0f MB resident, %.1f KB each (%.0f MB before)\n", amounts_.idle_connections, held,
                (held - before) * 1024 / amounts_.idle_connections, before);
    load_.release();
    return server.stop();
  }

  void print_ratios() const {
    std::printf("\nratio gateway %.2f\n", handshake_.cpu_us / plain_.cpu_us);
    std::printf("ratio gateway-partial-chain %.2f\n", handshake_.cpu_us / partial_.cpu_us);
    std::printf("ratio gateway-first-visit %.2f\n", first_visit_.cpu_us / plain_.cpu_us);
    std::printf("ratio gateway-resumed %.2f\n", resumed_.cpu_us / plain_.cpu_us);
    std::printf("ratio first-contact %.2f\n", first_contact_.rate / handshake_.rate);
    std::printf("ratio first-contact-cpu %.2f\n", first_contact_.cpu_us / handshake_.cpu_us);
    std::printf("ratio keep-alive %.2f\n", keep_alive_.rate / 30'000);
    std::printf("ratio operator-p99 %.2f\n", beside_.p99_us / alone_.p99_us);
  }

  const GatewayFactory& factory_;
  TlsLoad& load_;
  const Amounts amounts_;
  Row plain_, partial_, handshake_, first_visit_, first_contact_, resumed_, keep_alive_, alone_, beside_;
};

}  // namespace

Status run_gateway_bench(const std::filesystem::path& server, Extent extent) {
  raise_descriptor_limit();
  const auto program = std::filesystem::absolute(server);
  const Amounts amounts = amounts_of(extent);
  BIRTHMARK_TRY(const ScratchDirectory scratch, ScratchDirectory::make(program.parent_path()));
  BIRTHMARK_TRY(const GatewayFactory factory, GatewayFactory::make(program, scratch.path(), amounts.factory));
  BIRTHMARK_TRY(const auto load, TlsLoad::create(factory.fleet()));
  return GatewayBench(factory, *load, amounts).run();
}

}  // namespace birthmark::bench
