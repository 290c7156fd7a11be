// SPDX-License-Identifier: Apache-2.0
// The resources of the factory API over a registry of 100,000 and then 1,000,000 devices, without the network: what one page costs.
#include "lists_bench.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <map>

#include "base/run_task.h"
#include "crypto/x509_codec.h"
#include "faces/factory_api/devices_resource.h"
#include "preload.h"
#include "server_process.h"
#include "store/sqlite/sqlite_registry.h"

namespace birthmark::bench {
namespace {

namespace api = faces::factory_api;
using Milliseconds = std::chrono::duration<double, std::milli>;

constexpr const char* kFactory = "bench";
constexpr std::size_t kListedAtOnce = 20'000;
constexpr int kRounds = 7;

class WallClock final : public core::Clock {
 public:
  Instant now() const override { return std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now()); }
  Duration uptime() const override { return std::chrono::duration_cast<Duration>(std::chrono::steady_clock::now().time_since_epoch()); }
};

// What is asked, and how fast it must be answered; 0: it is only shown.
struct Question {
  const char* name;
  std::string query;
  double at_most_ms;
};

std::vector<Question> questions(const std::string& some_id) {
  return {{"page 1 of 500", "limit=500", 50},
          {"page 10 of 500", "limit=500&page=10", 50},
          {"page 20 of 500", "limit=500&page=20", 50},
          {"page 20 of 1000", "limit=1000&page=20", 50},
          {"keyset page of 500", "", 50},  // the 'next' of a page in the middle
          {"sortby=-name, page 20", "limit=500&sortby=-name&page=20", 50},
          {"sortby=-last_seen, page 20", "limit=500&sortby=-last_seen&page=20", 50},
          {"one name", "limit=500&name=" + some_id, 50},
          {"one id", "limit=500&uuid=" + some_id, 50},
          {"names that begin with abc", "limit=500&name=abc*", 50},
          {"ids that begin with abc", "limit=500&uuid=abc*", 50},
          {"one group", "limit=500&group=line-0", 50},
          {"prod=0", "limit=500&prod=0", 50},
          {"a pattern that few names fit", "limit=500&name=*00000*", 2000},
          {"page 1000 of 500", "limit=500&page=1000", 2000}};
}

class Lists {
 public:
  Lists(store::SqliteRegistry& registry, const core::X509Codec& codec)
      : users_("owner"),
        resource_({kFactory, registry, registry.directory(), registry.field(), codec, clock_, users_, "owner"}),
        routes_(resource_.routes()) {}

  // Every question a few times: the middle one counts. Returns whether all were fast enough.
  [[nodiscard]] Result<bool> run(std::map<std::string, double>& medians) {
    BIRTHMARK_TRY(const std::string first, ask("limit=2&page=1000"));
    const std::size_t at = first.find("\"uuid\":\"");
    const std::string id = at == std::string::npos ? std::string() : first.substr(at + 8, 36);
    bool fast = true;
    for (Question question : questions(id)) {
      if (question.query.empty()) {
        BIRTHMARK_TRY(std::string page, ask("limit=500&page=15"));
        if (page.find("after=") == std::string::npos) {  // a smoke run has fewer
          BIRTHMARK_TRY(page, ask("limit=500&page=2"));
        }
        const std::size_t next = page.find("after=");
        if (next == std::string::npos) return fail(ErrorCode::internal, "no page has a next: " + page.substr(0, 200));
        question.query = "limit=500&" + page.substr(next, page.find('"', next) - next);
      }
      std::vector<double> taken;
      for (int round = 0; round < kRounds; ++round) {
        const auto begin = std::chrono::steady_clock::now();
        BIRTHMARK_CHECK(ask(question.query));
        taken.push_back(Milliseconds(std::chrono::steady_clock::now() - begin).count());
      }
      std::sort(taken.begin(), taken.end());
      const double median = taken[kRounds / 2];
      medians[question.name] = median;
      const bool good = median < question.at_most_ms;
      fast = fast && good;
      std::printf("  %-32s %8.2f ms   worst %8.2f ms%s\n", question.name, median, taken.back(), good ? "" : "   TOO SLOW");
      std::fflush(stdout);
    }
    return fast;
  }

 private:
  [[nodiscard]] Result<std::string> ask(const std::string& query) {
    net::Request request;
    request.method = "GET";
    request.path = "/ota/devices/";
    request.query = query;
    api::Caller caller;
    caller.user_id = "owner";
    const api::Call call{request, caller, {}};
    const net::Response response = run_task(routes_.front().answer(call));
    if (response.status == 200) return response.body;
    return fail(ErrorCode::internal, "a list was refused: " + response.body, query);
  }

  WallClock clock_;
  api::SingleOwner users_;
  api::DevicesResource resource_;
  const std::vector<api::Route> routes_;
};

// Until nothing is left to list; what it costs the writer, a device.
[[nodiscard]] Status list_all(store::SqliteRegistry& registry, std::size_t devices) {
  const auto begin = std::chrono::steady_clock::now();
  for (std::size_t listed = 0; listed < devices + kListedAtOnce; listed += kListedAtOnce) {
    registry.directory().list_newcomers(kListedAtOnce);
    BIRTHMARK_CHECK(run_task(registry.append_audit(R"({"event":"bench"})")));  // the writer takes one after the other
  }
  const double us = Milliseconds(std::chrono::steady_clock::now() - begin).count() * 1000 / static_cast<double>(devices);
  std::printf("  %-32s %8.2f us of the writer, later, for each device\n", "listing newcomers", us);
  return {};
}

[[nodiscard]] Status measure(const std::filesystem::path& directory, std::size_t before, std::size_t devices,
                             std::map<std::string, double>& medians, bool& fast) {
  BIRTHMARK_CHECK(preload_devices(directory, devices - before, [](std::size_t) {}));
  BIRTHMARK_TRY(const auto codec, crypto::make_x509_codec());
  store::SqliteOptions options;
  options.path = directory / "birthmark.db";
  BIRTHMARK_TRY(const auto registry, store::SqliteRegistry::open(options, *codec));
  std::printf("%zu devices\n", devices);
  BIRTHMARK_CHECK(list_all(*registry, devices - before));
  Lists lists(*registry, *codec);
  BIRTHMARK_TRY(const bool good, lists.run(medians));
  fast = fast && good;
  return {};
}

}  // namespace

Status run_lists_bench(const std::filesystem::path& server, Extent extent) {
  const std::filesystem::path scratch = server.parent_path() / ("bench-lists-" + std::to_string(::getpid()));
  std::filesystem::create_directory(scratch);
  const auto directory = scratch / "factory";
  Status outcome;
  bool fast = true;
  std::map<std::string, double> small, large;
  const std::size_t few = extent == Extent::full ? 100'000 : extent == Extent::quick ? 20'000 : 2'000;
  const std::size_t many = few * (extent == Extent::smoke ? 2 : extent == Extent::quick ? 5 : 10);
  const auto made = run_program(
      {server, "init", directory, "--factory", kFactory, "--gateway-dns", "gw.bench.example", "--ostree-dns", "ostree.bench.example"},
      scratch / "init.log");
  if (!made) outcome = tl::make_unexpected(made.error());
  if (outcome) outcome = measure(directory, 0, few, small, fast);
  if (outcome) outcome = measure(directory, few, many, large, fast);
  if (outcome) {
    for (const char* name : {"page 20 of 500", "keyset page of 500", "names that begin with abc", "one group"})
      std::printf("ratio lists %s, %zux the devices %.2f\n", name, many / few, large[name] / std::max(small[name], 0.01));
    std::printf(fast ? "every page in time\n" : "NOT every page in time\n");
    if (!fast && extent == Extent::full) outcome = fail(ErrorCode::unavailable, "some lists were too slow");
  }
  std::filesystem::remove_all(scratch);
  return outcome;
}

}  // namespace birthmark::bench
