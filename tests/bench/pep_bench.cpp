// SPDX-License-Identifier: Apache-2.0
// Two questions: what does an injection cost the server beside its primitives, with 15 stations at work; and what do many clients cost that
// take their time. The clients' own work (CBOR, certificates, keys) is theirs, and is not counted.
#include "pep_bench.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <cstdio>
#include <memory>
#include <thread>

#include "../pep/test_fcc.h"
#include "base/file.h"
#include "primitives.h"
#include "server_process.h"

namespace birthmark::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr unsigned kStations = 15;

struct Amounts {
  unsigned gateways = 0;
  unsigned slow = 0;
};

Amounts amounts_of(Extent extent) {
  switch (extent) {
    case Extent::full: return {3000, 1000};
    case Extent::quick: return {600, 300};
    case Extent::smoke: break;
  }
  return {30, 15};
}

constexpr const char* kFcu = R"(
[fcu]
manufacturer = "Acme"
model_number = "EG-1"
device_type = "Edge GW"
hardware_version = "1.0"
memory_total_kb = 1048576
subject = ["C=FI", "O=Acme"]
key_mode = ")";

// GET /v3/identity on a connection of its own; the status, 0 without an answer.
int provision(std::uint16_t port, const std::string& serial, std::uint16_t fcc) {
  const FileDescriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return 0;
  const std::string request = "GET /v3/identity?&ip=127.0.0.1&port=" + std::to_string(fcc) + "&serialNumber=" + serial +
                              " HTTP/1.1\r\nHost: pep\r\nConnection: close\r\n\r\n";
  if (::send(socket.get(), request.data(), request.size(), MSG_NOSIGNAL) < 0) return 0;
  std::string answer;
  char buffer[4096];
  for (ssize_t got = 1; got > 0;) {
    got = ::recv(socket.get(), buffer, sizeof buffer, 0);
    if (got > 0) answer.append(buffer, static_cast<std::size_t>(got));
  }
  int status = 0;
  if (answer.size() > 12) std::from_chars(answer.data() + 9, answer.data() + 12, status);
  return status;
}

class PepBench {
 public:
  PepBench(std::filesystem::path server, std::filesystem::path scratch) : server_(std::move(server)), scratch_(std::move(scratch)) {}

  Status run(const std::string& mode, const Amounts& amounts, double primitives_us) {
    const std::filesystem::path directory = scratch_ / mode;
    BIRTHMARK_CHECK(prepare(directory, mode));
    BIRTHMARK_TRY(auto server, ServerProcess::start({.program = server_, .directory = directory, .face = "pep"}));
    BIRTHMARK_CHECK(stations(server, mode, amounts.gateways, primitives_us));
    if (mode == "by_tool") BIRTHMARK_CHECK(slow_clients(server, amounts.slow));
    return server.stop();
  }

 private:
  Status command(const std::vector<std::string>& arguments) {
    std::vector<std::string> all{server_};
    all.insert(all.end(), arguments.begin(), arguments.end());
    BIRTHMARK_TRY([[maybe_unused]] const std::string said, run_program(all, scratch_ / "commands.log"));
    return {};
  }

  Status prepare(const std::filesystem::path& directory, const std::string& mode) {
    const std::string pki = directory / "pki", dir = directory;
    BIRTHMARK_CHECK(command({"init", dir, "--factory", "bench", "--gateway-dns", "gw.bench.example", "--ostree-dns", "os.bench.example"}));
    BIRTHMARK_CHECK(command({"ca", "add-device-ca", pki, "--profile", "pep"}));
    BIRTHMARK_CHECK(command({"pep", "install-ca", "--dir", dir, pki + "/pep-ca.key", pki + "/pep-ca.pem"}));
    const std::filesystem::path file = directory / "birthmark.toml";
    BIRTHMARK_TRY(std::string text, read_file(file));
    const std::string heading = "\n[pep]\n";
    const std::size_t at = text.find(heading);
    if (at == std::string::npos) return fail(ErrorCode::internal, "birthmark.toml has no [pep]");
    text.insert(at + heading.size(), "bootstrap_server_ca = \"pki/pep-ca.pem\"\n");
    return replace_file(file, text + kFcu + mode + "\"\n", 0600);
  }

  Status stations(const ServerProcess& server, const std::string& mode, unsigned gateways, double primitives_us) {
    std::vector<double> waits;
    std::mutex mutex;
    std::atomic<unsigned> next{0}, good{0}, twice{0};
    const double cpu_before = server.cpu_seconds();
    const auto begun = Clock::now();
    std::vector<std::thread> threads;
    for (unsigned station = 0; station < kStations; ++station) {
      threads.emplace_back([&] {
        for (unsigned number = next++; number < gateways; number = next++) {
          pep::TestFcc fcc;
          const auto asked = Clock::now();
          const int status = provision(server.port(), "GW-" + std::to_string(number), fcc.port());
          const double wait = std::chrono::duration<double, std::milli>(Clock::now() - asked).count();
          good += status == 200 ? 1 : 0;
          twice += fcc.messages() > (mode == "by_tool" ? 1U : 2U) ? 1 : 0;
          const std::lock_guard lock(mutex);
          waits.push_back(wait);
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    const double seconds = std::chrono::duration<double>(Clock::now() - begun).count();
    const double cpu_us = (server.cpu_seconds() - cpu_before) * 1e6 / gateways;
    std::sort(waits.begin(), waits.end());
    const auto at = [&](double part) { return waits[static_cast<std::size_t>(part * static_cast<double>(waits.size() - 1))]; };
    std::printf(
        "%s: %u stations, %u gateways: %u provisioned, %u twice, %.0f a second, %.1f ms median, %.1f ms p99, %.0f us of the server's CPU "
        "each\n",
        mode.c_str(), kStations, gateways, good.load(), twice.load(), gateways / seconds, at(0.5), at(0.99), cpu_us);
    std::printf("ratio pep_%s %.2f\n", mode.c_str(), cpu_us / primitives_us);
    std::fflush(stdout);
    if (good != gateways || twice != 0) return fail(ErrorCode::internal, "gateways were lost or provisioned twice");
    return {};
  }

  // Each keeps the server waiting; a quick one among them must not.
  Status slow_clients(const ServerProcess& server, unsigned count) {
    const double before = server.resident_mb();
    std::vector<std::unique_ptr<pep::TestFcc>> clients;
    std::vector<std::thread> threads;
    std::atomic<unsigned> good{0};
    for (unsigned i = 0; i < count; ++i)
      clients.push_back(std::make_unique<pep::TestFcc>(pep::FccScript{.think = std::chrono::seconds(8)}));
    for (unsigned i = 0; i < count; ++i) {
      threads.emplace_back([&, i] { good += provision(server.port(), "SLOW-" + std::to_string(i), clients[i]->port()) == 200 ? 1 : 0; });
    }
    const auto deadline = Clock::now() + std::chrono::seconds(20);
    const auto asked = [&] {
      return std::count_if(clients.begin(), clients.end(), [](const auto& client) { return client->messages() > 0; });
    };
    while (asked() < static_cast<std::ptrdiff_t>(count) && Clock::now() < deadline)
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    const double during = server.resident_mb();
    pep::TestFcc quick;
    const auto begun = Clock::now();
    const int status = provision(server.port(), "QUICK", quick.port());
    const double quick_ms = std::chrono::duration<double, std::milli>(Clock::now() - begun).count();
    for (std::thread& thread : threads) thread.join();
    std::printf("slow: %u sessions at once, %u provisioned, %.0f MB more (%.0f MB), a quick one meanwhile %.1f ms\n", count, good.load(),
                during - before, during, quick_ms);
    if (good != count || status != 200) return fail(ErrorCode::internal, "gateways were lost among slow ones");
    return {};
  }

  const std::filesystem::path server_, scratch_;
};

}  // namespace

Status run_pep_bench(const std::filesystem::path& server, Extent extent) {
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) == 0) {
    files.rlim_cur = files.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &files);
  }
  BIRTHMARK_TRY(const Primitives primitives, measure_primitives(extent == Extent::smoke ? 3 : 15));
  std::printf("primitives: verify %.0f us, sign %.0f us\n", primitives.verify_us, primitives.sign_us);
  std::string scratch = (std::filesystem::absolute(server).parent_path() / "bench-pep-XXXXXX").string();
  if (::mkdtemp(scratch.data()) == nullptr) return fail(ErrorCode::unavailable, "cannot make " + scratch);
  PepBench bench(std::filesystem::absolute(server), scratch);
  const Amounts amounts = amounts_of(extent);
  // by_tool makes a key (a base point multiplication, as signing) and signs; by_device verifies a request and signs.
  Status outcome = bench.run("by_device", amounts, primitives.together_us());
  if (outcome) outcome = bench.run("by_tool", amounts, 2 * primitives.sign_us);
  std::error_code ignored;
  std::filesystem::remove_all(scratch, ignored);
  return outcome;
}

}  // namespace birthmark::bench
