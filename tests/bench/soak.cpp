// SPDX-License-Identifier: Apache-2.0
// One round a second or so. The devices are always the same ones, and only one of them has events to tell: what the server remembers and
// stores of them is soon complete, so that every further growth is a leak and not a database filling its page cache.
#include "soak.h"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "gateway_factory.h"
#include "scratch_directory.h"
#include "slow_peers.h"
#include "tls_load.h"

namespace birthmark::bench {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::seconds;

constexpr std::size_t kDevices = 400;
constexpr std::size_t kTurnedAway = 40;  // the last of them are denied and allowed again, one after the other
constexpr std::size_t kKnown = 20'000;
constexpr seconds kRound{1};
constexpr unsigned kOperatorEvery = 15;   // rounds
constexpr unsigned kReloadEvery = 60;     // rounds
constexpr seconds kSlowPeersLast{14};     // header_timeout is 10 s
constexpr double kWarmUpShare = 1.0 / 6;  // of the time, at most kWarmUp
constexpr double kWarmUpSeconds = 300;

std::string report(const std::string& method_and_path, const std::string& body) {
  return method_and_path +
         " HTTP/1.1\r\nHost: gw.bench.test:8443\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: " +
         std::to_string(body.size()) + "\r\n\r\n" + body;
}

struct Sample {
  double seconds = 0;
  double resident_mb = 0;
};

struct Line {
  double at_begin = 0;
  double at_end = 0;
};

// Least squares over what was measured after the warm-up.
Line fit(std::span<const Sample> samples) {
  double sum_x = 0, sum_y = 0, sum_xx = 0, sum_xy = 0;
  const auto count = static_cast<double>(samples.size());
  for (const Sample& sample : samples) {
    sum_x += sample.seconds;
    sum_y += sample.resident_mb;
    sum_xx += sample.seconds * sample.seconds;
    sum_xy += sample.seconds * sample.resident_mb;
  }
  const double spread = count * sum_xx - sum_x * sum_x;
  const double slope = spread > 0 ? (count * sum_xy - sum_x * sum_y) / spread : 0;
  const double middle = (sum_y - slope * sum_x) / std::max(1.0, count);
  return {middle + slope * samples.front().seconds, middle + slope * samples.back().seconds};
}

class Soak {
 public:
  Soak(const GatewayFactory& factory, ServerProcess& server, TlsLoad& fleet, TlsLoad& talkative, TlsLoad& turned_away)
      : factory_(factory), server_(server), fleet_(fleet), talkative_(talkative), turned_away_(turned_away), slow_(server.port()) {}

  Status run(unsigned minutes) {
    const auto begun = Clock::now();
    const auto end = begun + std::chrono::minutes(minutes);
    BIRTHMARK_CHECK(first_contacts());
    for (unsigned round = 0; Clock::now() < end; ++round) {
      const auto next = Clock::now() + kRound;
      BIRTHMARK_CHECK(traffic());
      if (round % kOperatorEvery == 0) BIRTHMARK_CHECK(operate());
      if (round % kReloadEvery == kReloadEvery - 1) ::kill(server_.pid(), SIGHUP);
      samples_.push_back({std::chrono::duration<double>(Clock::now() - begun).count(), server_.resident_mb()});
      if (round % 60 == 0) say();
      std::this_thread::sleep_until(next);
    }
    return judge();
  }

 private:
  Status first_contacts() {
    BIRTHMARK_CHECK(visit(fleet_, first_check_in(), "HTTP/1.1 200 ", kDevices - kTurnedAway));
    return visit(turned_away_, first_check_in(), "HTTP/1.1 200 ", kTurnedAway);
  }

  Status visit(TlsLoad& load, const std::string& request, const std::string& expected, std::size_t visits) {
    BIRTHMARK_TRY(const LoadResult result,
                  load.visit({.port = server_.port(), .request = request, .expected = expected, .visits = visits}));
    requests_ += result.answered;
    return {};
  }

  Status traffic() {
    BIRTHMARK_CHECK(visit(fleet_, check_in(false), "HTTP/1.1 304 ", 10));
    BIRTHMARK_CHECK(visit(fleet_, report("PUT /system_info", R"({"id":"soak","product":"board"})"), "HTTP/1.1 200 ", 3));
    const std::string events =
        R"([{"id":"1","deviceTime":"2026-01-01T00:00:00Z","eventType":{"id":"EcuDownloadStarted","version":0},"event":{}}])";
    BIRTHMARK_CHECK(visit(talkative_, report("POST /events", events), "HTTP/1.1 200 ", 3));
    BIRTHMARK_CHECK(visit(talkative_, report("POST /events", "not json"), "HTTP/1.1 400 ", 1));
    const KeepAlivePlan stay{
        .port = server_.port(), .request = check_in(true), .expected = "HTTP/1.1 304 ", .connections = 4, .requests = 200};
    BIRTHMARK_TRY(const LoadResult kept, fleet_.keep_alive(stay, [] {}));
    requests_ += kept.answered;
    BIRTHMARK_CHECK(slow_.add());
    return slow_.check(kSlowPeersLast);
  }

  // A list of everybody, and a device that is turned away, forgotten, and comes as a new one.
  Status operate() {
    BIRTHMARK_CHECK(command({"device", "list", "--format", "json"}));
    const std::string& id = factory_.fleet()[kDevices - kTurnedAway + turned_ % kTurnedAway].uuid;
    if (turned_++ >= kTurnedAway) return {};
    BIRTHMARK_CHECK(command({"device", "deny", id, "--reason", "soak"}));
    BIRTHMARK_CHECK(visit(turned_away_, check_in(false), "HTTP/1.1 403 ", 1));
    BIRTHMARK_CHECK(command({"device", "allow", id, "--reason", "soak"}));
    for (std::size_t i = 1; i < kTurnedAway; ++i) BIRTHMARK_CHECK(visit(turned_away_, check_in(false), "HTTP/1.1 304 ", 1));
    return visit(turned_away_, first_check_in(), "HTTP/1.1 200 ", kTurnedAway + 1);
  }

  Status command(std::vector<std::string> words) {
    words.insert(words.begin(), factory_.program());
    words.insert(words.end(), {"--dir", factory_.directory()});
    BIRTHMARK_TRY(const std::string said, run_program(words, factory_.log()));
    return {};
  }

  void say() const {
    std::printf("  %5.0f s  %.1f MB resident, %zu requests, %zu slow peers cut\n", samples_.back().seconds, samples_.back().resident_mb,
                requests_, slow_.cut());
    std::fflush(stdout);
  }

  Status judge() const {
    if (samples_.empty()) return fail(ErrorCode::internal, "nothing was measured");
    const double warm = std::min(kWarmUpSeconds, samples_.back().seconds * kWarmUpShare);
    const auto first = std::find_if(samples_.begin(), samples_.end(), [&](const Sample& sample) { return sample.seconds >= warm; });
    const Line line = fit(std::span(first, samples_.end()));
    say();
    std::printf("after the first %.0f s: %.1f MB resident, at the end %.1f MB (least squares over %zu samples)\n", warm, line.at_begin,
                line.at_end, static_cast<std::size_t>(samples_.end() - first));
    std::printf("\nratio soak-rss %.3f\n", line.at_end / line.at_begin);
    return {};
  }

  const GatewayFactory& factory_;
  ServerProcess& server_;
  TlsLoad& fleet_;
  TlsLoad& talkative_;  // the first of the fleet
  TlsLoad& turned_away_;
  SlowPeers slow_;
  std::vector<Sample> samples_;
  std::size_t requests_ = 0;
  std::size_t turned_ = 0;
};

}  // namespace

Status run_soak(const std::filesystem::path& server, unsigned minutes) {
  const auto program = std::filesystem::absolute(server);
  BIRTHMARK_TRY(const ScratchDirectory scratch, ScratchDirectory::make(program.parent_path()));
  BIRTHMARK_TRY(const GatewayFactory factory, GatewayFactory::make(program, scratch.path(), {.known = kKnown, .fleet = kDevices}));
  const std::span<const FleetDevice> devices(factory.fleet());
  BIRTHMARK_TRY(const auto fleet, TlsLoad::create(devices.first(kDevices - kTurnedAway)));
  BIRTHMARK_TRY(const auto talkative, TlsLoad::create(devices.first(1)));
  BIRTHMARK_TRY(const auto turned_away, TlsLoad::create(devices.last(kTurnedAway)));
  BIRTHMARK_TRY(ServerProcess running, factory.start(0));
  std::printf("soaking for %u minutes, port %u\n", minutes, running.port());
  std::fflush(stdout);
  BIRTHMARK_CHECK(Soak(factory, running, *fleet, *talkative, *turned_away).run(minutes));
  return running.stop();
}

}  // namespace birthmark::bench
