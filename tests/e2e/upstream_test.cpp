// SPDX-License-Identifier: Apache-2.0
// Partially detached: a server, an upstream that comes and goes, and devices that must end up on both sides exactly once.
// BIRTHMARK_LINE_DEVICES: how many the long test registers.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <cstdlib>
#include <set>
#include <sstream>
#include <thread>

#include "base/pem.h"
#include "device.h"
#include "http_peer.h"
#include "server_process.h"
#include "test_upstream.h"

namespace birthmark::e2e {
namespace {

std::string with_token(std::string request, const std::string& token) {
  return request.insert(request.find("\r\n") + 2, "OSF-TOKEN: " + token + "\r\n");
}

std::string first_line(const std::string& text) {
  return text.substr(0, text.find('\n'));
}

std::set<std::string> inventory(const Factory& factory) {
  std::set<std::string> ids;
  std::istringstream lines(factory.command({"device", "export", "--format", "json"}));
  for (std::string line; std::getline(lines, line);) ids.emplace(boost::json::parse(line).as_object().at("id").as_string());
  return ids;
}

boost::json::object upstream_status(const Factory& factory) {
  return boost::json::parse(first_line(factory.command({"upstream", "status", "--format", "json"}))).as_object();
}

std::int64_t figure(const Factory& factory, const char* name) {
  return upstream_status(factory).at(name).as_int64();
}

bool all_told(const Factory& factory) {
  return figure(factory, "waiting") == 0 && figure(factory, "sending") == 0;
}

std::set<std::string> names_of(const std::map<std::string, std::string>& devices) {
  std::set<std::string> names;
  for (const auto& [name, key] : devices) names.insert(name);
  return names;
}

TEST(Upstream, LearnsOfADeviceSoonAfterItsAnswer) {
  const Factory factory;
  TestUpstream upstream(factory.scratch());
  upstream.configure(factory);
  upstream.start();
  const auto server = factory.serve();
  const Device device = Device::make();
  const auto answer = post_sign(server->port(), device.body());
  ASSERT_TRUE(answer && answer->status == 201) << (answer ? answer->body : "");
  EXPECT_TRUE(wait_until([&] { return upstream.devices().contains(device.uuid); }));
  EXPECT_NE(upstream.record().find("\"group\":\"line\""), std::string::npos);
  EXPECT_NE(upstream.record().find("\"name\":\"" + device.uuid), std::string::npos);
  EXPECT_TRUE(wait_until([&] { return all_told(factory); }));
  EXPECT_EQ(figure(factory, "stopped"), 0);
  EXPECT_EQ(server->stop(), 0);
}

TEST(Upstream, WaitModeAnswersWhenItKnowsOrSaysTryAgain) {
  const Factory factory;
  TestUpstream upstream(factory.scratch());
  upstream.configure(factory, "mode = \"wait\"\nwait_deadline = \"1s\"\n");
  const auto server = factory.serve();
  const Device device = Device::make();
  const auto late = post_sign(server->port(), device.body());
  ASSERT_TRUE(late);
  EXPECT_EQ(late->status, 503) << late->body;
  EXPECT_FALSE(late->header("retry-after").empty());
  EXPECT_NE(late->message().find("upstream"), std::string::npos) << late->body;
  upstream.start();
  std::string certificate;
  EXPECT_TRUE(wait_until([&] {
    const auto again = post_sign(server->port(), device.body());
    if (again && again->status == 201) certificate = again->member("client.pem");
    return !certificate.empty();
  }));
  EXPECT_TRUE(upstream.devices().contains(device.uuid)) << "answered before the upstream knew";
  const auto once_more = post_sign(server->port(), device.body());
  ASSERT_TRUE(once_more);
  EXPECT_EQ(once_more->member("client.pem"), certificate);
  for (int i = 0; i < 5; ++i) {
    const Device next = Device::make();
    const auto answer = post_sign(server->port(), next.body());
    ASSERT_TRUE(answer && answer->status == 201) << (answer ? answer->body : "");
    EXPECT_TRUE(upstream.devices().contains(next.uuid));
  }
  EXPECT_EQ(server->stop(), 0);
}

TEST(Upstream, AWaitingDeviceDoesNotHoldUpTheEnd) {
  const Factory factory;
  TestUpstream upstream(factory.scratch());
  upstream.configure(factory, "mode = \"wait\"\nwait_deadline = \"5m\"\n");
  const auto server = factory.serve();
  HttpPeer peer(server->port());
  ASSERT_TRUE(peer.send(request_text("POST", "/sign", Device::make().body())));
  EXPECT_TRUE(wait_until([&] { return inventory(factory).size() == 1; }));
  EXPECT_EQ(server->stop(), 0);
  const auto answer = peer.receive();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 503);
}

TEST(Upstream, ARefusedTokenPausesUntilItsFileChanges) {
  const Factory factory;
  TestUpstream upstream(factory.scratch());
  upstream.configure(factory);
  write_text(upstream.token_file(factory), "an old token\n");
  upstream.start();
  const auto server = factory.serve();
  const Device device = Device::make();
  ASSERT_EQ(post_sign(server->port(), device.body())->status, 201);
  const auto paused = [&] { return upstream_status(factory).at("state").as_string().starts_with("paused"); };
  EXPECT_TRUE(wait_until(paused));
  EXPECT_EQ(post_sign(server->port(), Device::make().body())->status, 201) << "registration goes on";
  std::filesystem::remove(upstream.token_file(factory));
  EXPECT_TRUE(
      wait_until([&] { return std::string(upstream_status(factory).at("state").as_string()).find("token file") != std::string::npos; }));
  write_text(upstream.token_file(factory), "a-token-of-the-upstream\n");
  ASSERT_EQ(::chmod(upstream.token_file(factory).c_str(), 0600), 0);
  EXPECT_TRUE(wait_until([&] { return upstream.devices().size() == 2 && all_told(factory); }));
  EXPECT_EQ(server->log_text().find("a-token-of-the-upstream"), std::string::npos) << "a token in the log";
  EXPECT_EQ(server->stop(), 0);
}

TEST(Upstream, AnotherKeyThereStopsTheMessageAndSaysSo) {
  const Factory factory;
  TestUpstream upstream(factory.scratch());
  const Device device = Device::make();
  write_text(factory.scratch() / "upstream.jsonl",
             boost::json::serialize(boost::json::object{
                 {"uuid", device.uuid},
                 {"public-key", "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE\n-----END PUBLIC KEY-----\n"}}) +
                 "\n");
  upstream.configure(factory);
  upstream.start();
  const auto server = factory.serve();
  ASSERT_EQ(post_sign(server->port(), device.body())->status, 201);
  EXPECT_TRUE(wait_until([&] { return figure(factory, "stopped") == 1; }));
  const auto listed = boost::json::parse(first_line(factory.command({"upstream", "list", "--format", "json"}))).as_object();
  EXPECT_EQ(listed.at("id").as_string(), device.uuid);
  EXPECT_NE(std::string(listed.at("reason").as_string()).find("another key"), std::string::npos);
  EXPECT_EQ(factory.birthmark({"upstream", "drop", "--message", "999", "--reason", "x", "--dir", factory.directory()}).exit_code, 1);
  factory.command({"upstream", "drop", "--message", std::to_string(listed.at("message").as_int64()), "--reason", "made by hand there"});
  EXPECT_EQ(figure(factory, "stopped"), 0);
  factory.command({"audit", "verify"});
  EXPECT_EQ(server->stop(), 0);
}

TEST(Upstream, UnderWaitADeviceThatItRefusesForGoodIsToldWhyAndNotToComeAgain) {
  const Factory factory;
  TestUpstream upstream(factory.scratch());
  const Device device = Device::make();
  write_text(factory.scratch() / "upstream.jsonl",
             boost::json::serialize(boost::json::object{
                 {"uuid", device.uuid},
                 {"public-key", "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE\n-----END PUBLIC KEY-----\n"}}) +
                 "\n");
  upstream.configure(factory, "mode = \"wait\"\n");
  upstream.start();
  const auto server = factory.serve();
  for (int tries = 0; tries < 2; ++tries) {
    const auto refused = post_sign(server->port(), device.body());
    ASSERT_TRUE(refused);
    EXPECT_EQ(refused->status, 409) << refused->body;
    EXPECT_NE(refused->message().find("another key"), std::string::npos) << refused->body;
    EXPECT_EQ(refused->header("retry-after"), "");
  }
  EXPECT_NE(factory.command({"events"}).find(R"("reason":"upstream_refused")"), std::string::npos);
  EXPECT_EQ(server->stop(), 0);
}

// DECISIONS, Enrollment: a lost answer may be asked for with another key as long as the upstream has not got the first.
TEST(Upstream, ANewKeyReplacesOneThatItWasNeverTold) {
  const Factory factory;
  factory.configure("registration", "retry_under_open_trust = true");
  TestUpstream upstream(factory.scratch());
  upstream.configure(factory, "mode = \"wait\"\nwait_deadline = \"1s\"\n");
  const auto server = factory.serve();
  const Device first = Device::make();
  ASSERT_EQ(post_sign(server->port(), first.body())->status, 503);
  EXPECT_TRUE(wait_until([&] { return upstream_status(factory).at("state").as_string().starts_with("unreachable"); }));
  EXPECT_TRUE(wait_until([&] { return figure(factory, "waiting") == 1; }));
  const Device second = Device::make(first.uuid);
  EXPECT_TRUE(wait_until([&] { return post_sign(server->port(), second.body())->status == 503; }));
  upstream.start();
  EXPECT_TRUE(wait_until([&] { return post_sign(server->port(), second.body())->status == 201; }));
  EXPECT_EQ(upstream.devices().size(), 1U);
  const auto pem = second.key.spki_der();
  ASSERT_TRUE(pem);
  EXPECT_EQ(upstream.devices().at(first.uuid), encode_pem("PUBLIC KEY", *pem));
  // The first key is not current any more, and a third may not follow: the upstream has the second.
  EXPECT_EQ(post_sign(server->port(), first.body())->status, 409);
  EXPECT_EQ(post_sign(server->port(), Device::make(first.uuid).body())->status, 409);
  EXPECT_EQ(server->stop(), 0);
  factory.command({"audit", "verify"});
}

TEST(Upstream, OverTlsItIsWhoItSaysOrIsToldNothing) {
  const Factory factory;
  const auto certificate = factory.scratch() / "upstream.pem", key = factory.scratch() / "upstream.key";
  const auto make = [&](const std::string& name) {
    const Outcome made = run({"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key,
                              "-out", certificate, "-subj", "/CN=upstream", "-addext", "subjectAltName=" + name, "-days", "2"});
    require(made.exit_code == 0, made.errors);
  };
  TestUpstream upstream(factory.scratch());
  upstream.configure(factory, "ca_file = \"../upstream.pem\"\n", "https://localhost");
  make("DNS:somebody.else.example");
  upstream.start(0, {"--certificate", certificate, "--key", key});
  const auto server = factory.serve();
  const Device device = Device::make();
  ASSERT_EQ(post_sign(server->port(), device.body())->status, 201);
  EXPECT_TRUE(wait_until([&] { return upstream_status(factory).at("state").as_string().find("mismatch") != std::string::npos; }));
  EXPECT_TRUE(upstream.devices().empty());
  upstream.stop();
  make("DNS:localhost");
  upstream.start(0, {"--certificate", certificate, "--key", key});
  EXPECT_TRUE(wait_until([&] { return upstream.devices().contains(device.uuid); })) << "no restart is needed when it is mended";
  for (int i = 0; i < 20; ++i) ASSERT_EQ(post_sign(server->port(), Device::make().body())->status, 201);
  EXPECT_TRUE(wait_until([&] { return upstream.devices().size() == 21; }));
  EXPECT_EQ(server->stop(), 0);
}

#ifdef BIRTHMARK_CRASH_POINTS
// kill -9 between the upstream's answer and our note of it, and right after the note.
TEST(Upstream, ACrashOfTheCourierLosesNothingAndTellsNothingTwice) {
  for (const char* point : {"courier.after_answer:7", "courier.after_settle:7"}) {
    SCOPED_TRACE(point);
    const Factory factory;
    TestUpstream upstream(factory.scratch());
    upstream.configure(factory);
    upstream.start();
    auto server = factory.serve({{std::string("BIRTHMARK_CRASH_AT=") + point}, 2});
    std::set<std::string> registered;
    for (int i = 0; i < 40; ++i) {
      const Device device = Device::make();
      const auto answer = post_sign(server->port(), device.body());
      if (!answer) break;
      ASSERT_EQ(answer->status, 201);
      registered.insert(device.uuid);
    }
    ASSERT_TRUE(server->wait()) << "it never came by";
    server = factory.serve();
    EXPECT_TRUE(wait_until([&] { return all_told(factory); }));
    const auto known = inventory(factory);
    EXPECT_TRUE(std::includes(known.begin(), known.end(), registered.begin(), registered.end()));
    EXPECT_EQ(names_of(upstream.devices()), known);
    EXPECT_EQ(figure(factory, "unverified"), 0);
    EXPECT_EQ(figure(factory, "stopped"), 0);
    EXPECT_EQ(server->stop(), 0);
  }
}
#endif

// --- a line, its upstream down for the first half, two kill -9 ------------------------------------------------------------------------

std::size_t line_devices() {
  const char* const wanted = std::getenv("BIRTHMARK_LINE_DEVICES");
  std::size_t number = 300;
  if (wanted != nullptr) std::from_chars(wanted, wanted + std::char_traits<char>::length(wanted), number);
  return number;
}

// Stations that register a fixed set of devices, each until it has its certificate, whatever happens to the server meanwhile.
class Line {
 public:
  static constexpr std::size_t kStations = 15;

  Line(std::size_t devices, std::vector<std::string> tokens) : devices_(devices), tokens_(std::move(tokens)) {}
  ~Line() { finish(); }

  void start() {
    for (std::size_t station = 0; station < kStations; ++station) stations_.emplace_back([this, station] { work(station); });
  }
  void server_is_at(std::uint16_t port) { port_ = port; }
  void finish() {
    for (std::thread& station : stations_) {
      if (station.joinable()) station.join();
    }
  }
  [[nodiscard]] std::size_t registered() const { return registered_; }
  [[nodiscard]] const std::set<std::string>& ids() const { return ids_; }
  [[nodiscard]] const std::vector<std::string>& refusals() const { return refusals_; }

 private:
  void work(std::size_t station) {
    const auto give_up = std::chrono::steady_clock::now() + std::chrono::minutes(50);
    for (std::size_t i = station; i < devices_; i += kStations) {
      const Device device = Device::make();
      const std::string request = with_token(request_text("POST", "/sign", device.body()), tokens_[station]);
      bool done = false;
      while (!done && std::chrono::steady_clock::now() < give_up) {
        const auto answer = ask(port_, request);
        done = answer && answer->status == 201;
        if (!done) take_a_breath();
        if (!answer || done) continue;
        const std::lock_guard lock(mutex_);
        refusals_.push_back(answer->body);
        return;
      }
      const std::lock_guard lock(mutex_);
      ids_.insert(device.uuid);
      ++registered_;
    }
  }

  const std::size_t devices_;
  const std::vector<std::string> tokens_;
  std::atomic<std::uint16_t> port_ = 0;
  std::atomic<std::size_t> registered_ = 0;
  std::mutex mutex_;
  std::set<std::string> ids_;
  std::vector<std::string> refusals_;
  std::vector<std::thread> stations_;
};

TEST(Upstream, ALineEndsWithExactlyItsDevicesOnBothSides) {
  const std::size_t count = line_devices();
  const Factory factory;
  factory.configure("registration", "trust = \"token\"");
  TestUpstream upstream(factory.scratch());
  upstream.configure(factory, "parallel = 8\n");
  std::vector<std::string> tokens;
  for (std::size_t station = 0; station < Line::kStations; ++station)
    tokens.push_back(
        first_line(factory.command({"token", "create", "--scope", "devices:create", "--station", "station-" + std::to_string(station)})));
  auto server = factory.serve();
  Line line(count, tokens);
  line.server_is_at(server->port());
  line.start();

  const auto patience = std::chrono::minutes(30);
  ASSERT_TRUE(wait_until([&] { return line.registered() >= count / 4; }, patience));
  server->kill();  // the upstream is down: everything waits
  server = factory.serve();
  line.server_is_at(server->port());
  ASSERT_TRUE(wait_until([&] { return line.registered() >= count / 2; }, patience));
  upstream.start(0.1);
  ASSERT_TRUE(wait_until([&] { return upstream.devices().size() >= count / 4; }, patience));
  server->kill();  // in the middle of delivering
  server = factory.serve();
  line.server_is_at(server->port());
  line.finish();
  EXPECT_TRUE(line.refusals().empty()) << line.refusals().front();

  EXPECT_TRUE(wait_until([&] { return all_told(factory); }, patience)) << factory.command({"upstream", "status"});
  EXPECT_EQ(inventory(factory), line.ids());
  EXPECT_EQ(names_of(upstream.devices()), line.ids());
  EXPECT_EQ(line.ids().size(), count);
  EXPECT_EQ(figure(factory, "stopped"), 0);
  EXPECT_EQ(figure(factory, "unverified"), 0) << "each 409 was compared by key";
  factory.command({"audit", "verify"});
  EXPECT_EQ(server->stop(), 0) << server->log_text();
}

}  // namespace
}  // namespace birthmark::e2e
