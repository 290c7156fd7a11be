// SPDX-License-Identifier: Apache-2.0
// A program to be killed: registers devices from several threads, and writes an acknowledgement to stdout only after the registry said that
// the change is durable. store_crash_test starts it, and counts what a power cut took back.
//   store_load DATABASE full|off LEAK_PERCENT THREADS FIRST_DEVICE
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <thread>

#include "load_plan.h"
#include "power_cut_vfs.h"
#include "store/sqlite/sqlite_registry.h"

namespace birthmark::testing {
namespace {

constexpr std::chrono::seconds kLongestLife{60};  // should nobody kill us

// Waits for tasks on this thread, with one io_context for all of them.
class Waiter {
 public:
  template <class T>
  T operator()(Task<T> task) {
    std::optional<T> answer;
    boost::asio::co_spawn(context_, std::move(task), [&answer](std::exception_ptr failure, T value) {
      BIRTHMARK_ASSERT(failure == nullptr);
      answer.emplace(std::move(value));
    });
    context_.restart();
    context_.run();
    return std::move(*answer);
  }

 private:
  boost::asio::io_context context_{1};
};

class Station {
 public:
  explicit Station(core::Registry& registry) : registry_(registry) {}

  void register_device(std::uint64_t device) {
    core::RowId newest = record(device, LoadStep::enrolled, std::nullopt, std::nullopt);
    const SpkiHash key = sample_key(load_number(device, LoadStep::enrolled));
    if (does(LoadStep::reissued, device)) newest = record(device, LoadStep::reissued, key, std::nullopt);
    if (does(LoadStep::superseded, device)) newest = record(device, LoadStep::superseded, key, newest);
    if (device % 4 == 1) registry_.note_delivery(newest, core::Delivery::answered);
    if (does(LoadStep::denied, device)) deny(device);
  }

 private:
  core::RowId record(std::uint64_t device, LoadStep step, std::optional<SpkiHash> key, std::optional<core::RowId> unseen) {
    for (;;) {
      core::Preconditions expected;
      expected.current_key = key;
      expected.unseen_certificate = unseen;
      expected.trust_epoch = *registry_.trust_epoch();
      const auto outcome = wait_(registry_.record(load_issuance(device, step), expected));
      if (!outcome) stop(outcome.error().describe());
      if (outcome->conflict == core::RecordConflict::trust_changed) continue;  // another station denied somebody
      if (outcome->conflict != core::RecordConflict::none) stop("an unexpected conflict");
      acknowledge(device, step);
      return outcome->certificate;
    }
  }

  void deny(std::uint64_t device) {
    const auto identity = sample_identity(device);
    const Instant at = from_unix_ms(kSampleEpochMs);
    const auto denied = wait_(registry_.deny(identity, at, sample_operator_body(core::AuditEvent::device_denied, identity, at)));
    if (!denied) stop(denied.error().describe());
    acknowledge(device, LoadStep::denied);
  }

  // Smaller than PIPE_BUF: arrives whole or not at all.
  static void acknowledge(std::uint64_t device, LoadStep step) {
    const LoadAcknowledgement done{device, static_cast<std::uint64_t>(step)};
    if (::write(STDOUT_FILENO, &done, sizeof done) != sizeof done) stop("nobody reads the acknowledgements");
  }

  [[noreturn]] static void stop(const std::string& reason) {
    std::fprintf(stderr, "store_load: %s\n", reason.c_str());
    std::_Exit(2);
  }

  core::Registry& registry_;
  Waiter wait_;
};

int run(char** arguments) {
  const DigestCodec codec;
  auto disk = PowerCutVfs::create("power-cut", parse_number<unsigned>(arguments[3]).value_or(0));
  if (!disk) return 2;
  store::SqliteOptions options;
  options.path = arguments[1];
  options.vfs = (*disk)->name();
  options.synchronous = std::string_view(arguments[2]) == "off" ? store::Synchronous::off : store::Synchronous::full;
  auto registry = store::SqliteRegistry::open(options, codec);
  if (!registry) {
    std::fprintf(stderr, "store_load: %s\n", registry.error().describe().c_str());
    return 2;
  }
  const auto threads = parse_number<std::uint64_t>(arguments[4]).value_or(1);
  const auto first = parse_number<std::uint64_t>(arguments[5]).value_or(0);
  const auto end = std::chrono::steady_clock::now() + kLongestLife;
  std::vector<std::thread> stations;
  for (std::uint64_t t = 0; t < threads; ++t)
    stations.emplace_back([&, t] {
      Station station(**registry);
      for (std::uint64_t device = first + t; std::chrono::steady_clock::now() < end; device += threads) station.register_device(device);
    });
  for (auto& station : stations) station.join();
  return 0;
}

}  // namespace
}  // namespace birthmark::testing

int main(int count, char** arguments) {
  return count == 6 ? birthmark::testing::run(arguments) : 2;
}
