// SPDX-License-Identifier: Apache-2.0
// kill -9 at every named crash point (docs/reference/crash-points.md) and at random moments, under a load of eight stations; then a restart
// on the same directory and the invariants of DESIGN section 3. BIRTHMARK_CRASH_ROUNDS: how often each. Power cuts are tests/crash's.
#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json.hpp>
#include <charconv>
#include <csignal>
#include <cstdlib>
#include <map>
#include <random>
#include <set>
#include <sstream>

#include "load.h"
#include "server_process.h"

namespace birthmark::e2e {
namespace {

constexpr unsigned kStations = 8;

unsigned rounds() {
  const char* const wanted = std::getenv("BIRTHMARK_CRASH_ROUNDS");
  unsigned number = 1;
  if (wanted != nullptr) std::from_chars(wanted, wanted + std::char_traits<char>::length(wanted), number);
  return number;
}

std::mt19937& random_numbers() {
  static std::mt19937 generator = [] {
    const std::uint32_t seed = std::random_device{}();
    std::printf("seed %u\n", seed);
    return std::mt19937(seed);
  }();
  return generator;
}

int random_between(int least, int most) {
  return std::uniform_int_distribution<int>(least, most)(random_numbers());
}

// id -> serial, of every device the server knows.
std::map<std::string, std::string> known_devices(const Factory& factory) {
  std::map<std::string, std::string> devices;
  std::istringstream lines(factory.command({"device", "export", "--format", "json"}));
  for (std::string line; std::getline(lines, line);) {
    const boost::json::object row = boost::json::parse(line).as_object();
    const bool whole = row.at("serial").is_string() && row.at("spki_sha256").is_string();
    EXPECT_TRUE(whole) << "a device half there: " << line;
    const bool fresh = devices.emplace(row.at("id").as_string(), whole ? std::string(row.at("serial").as_string()) : "").second;
    EXPECT_TRUE(fresh) << "listed twice: " << line;
  }
  return devices;
}

void expect_no_serial_twice(const std::map<std::string, std::string>& devices) {
  std::set<std::string> serials;
  for (const auto& [id, serial] : devices) EXPECT_TRUE(serials.insert(serial).second) << "serial " << serial << " twice";
}

void expect_audit_whole(const Factory& factory) {
  const Outcome verified = factory.birthmark({"audit", "verify", "--dir", factory.directory()});
  EXPECT_EQ(verified.exit_code, 0) << verified.output << verified.errors;
}

// Whoever has a certificate gets the same again; whoever has none gets the recorded one, or a first one. All of the last round ask, and
// some of every round before: what a round did not break stays unbroken.
void expect_same_key_retries(std::uint16_t port, const std::vector<Registration>& registrations, std::size_t fresh,
                             const std::map<std::string, std::string>& recorded) {
  HttpPeer peer(port);
  const std::size_t stride = std::max<std::size_t>(1, fresh / 50);
  for (std::size_t i = 0; i < registrations.size(); i += i < fresh ? std::min(stride, fresh - i) : 1) {
    const Registration& registration = registrations[i];
    ASSERT_TRUE(peer.send(request_text("POST", "/sign", registration.device.body())));
    const auto answer = peer.receive();
    ASSERT_TRUE(answer && answer->status == 201) << (answer ? answer->body : "no answer");
    const std::string certificate = answer->member("client.pem");
    if (!registration.certificate.empty()) EXPECT_EQ(certificate, registration.certificate) << registration.device.uuid;
    const auto known = recorded.find(registration.device.uuid);
    if (known != recorded.end()) EXPECT_EQ(serial_of(certificate), known->second);
  }
}

void expect_shown(const Factory& factory, const Registration& registration) {
  const std::string shown = factory.command({"device", "show", registration.device.uuid});
  EXPECT_NE(shown.find(registration.certificate), std::string::npos) << shown;
}

// After the crash: a restart on the same directory, and everything that must hold. The last round's registrations begin at `fresh`.
void expect_nothing_lost(const Factory& factory, const std::vector<Registration>& registrations, std::size_t fresh) {
  const auto server = factory.serve();
  const auto recorded = known_devices(factory);
  const Registration* last = nullptr;
  for (const Registration& registration : registrations) {
    if (registration.certificate.empty()) continue;
    last = &registration;
    const auto known = recorded.find(registration.device.uuid);
    ASSERT_NE(known, recorded.end()) << "acknowledged and lost: " << registration.device.uuid;
    EXPECT_EQ(known->second, serial_of(registration.certificate));
  }
  if (last != nullptr) expect_shown(factory, *last);
  expect_audit_whole(factory);
  expect_same_key_retries(server->port(), registrations, fresh, recorded);
  expect_no_serial_twice(known_devices(factory));
  EXPECT_EQ(server->stop(), 0) << server->log_text();
  expect_audit_whole(factory);
  EXPECT_EQ(known_devices(factory).size(), registrations.size());
}

// One factory lives through all rounds of a point, so that later crashes meet what earlier ones left.
void crash_at(const std::string& point, int latest_pass) {
#ifndef BIRTHMARK_CRASH_POINTS
  GTEST_SKIP() << "this build has no crash points";
#endif
  const Factory factory;
  std::vector<Registration> everything;
  for (unsigned round = 0; round < rounds(); ++round) {
    const std::string where = point + ":" + std::to_string(random_between(1, latest_pass));
    SCOPED_TRACE(where);
    const auto server = factory.serve({{"BIRTHMARK_CRASH_AT=" + where}, 2});
    Load load(server->port(), kStations);
    const auto end = server->wait();
    ASSERT_TRUE(end) << "it never came by";
    EXPECT_EQ(end->signal, SIGKILL) << server->log_text();
    auto tried = load.finish();
    EXPECT_TRUE(load.refusals().empty()) << load.refusals().front();
    const std::size_t fresh = everything.size();
    std::move(tried.begin(), tried.end(), std::back_inserter(everything));
    expect_nothing_lost(factory, everything, fresh);
    if (::testing::Test::HasFatalFailure()) return;
  }
}

TEST(Crash, BeforeSign) {
  crash_at("enroll.before_sign", 60);
}
TEST(Crash, AfterSign) {
  crash_at("enroll.after_sign", 60);
}
TEST(Crash, AfterRecord) {
  crash_at("enroll.after_record", 60);
}
TEST(Crash, BeforeBegin) {
  crash_at("store.before_begin", 12);
}
TEST(Crash, InTransaction) {
  crash_at("store.in_transaction", 40);
}
TEST(Crash, BeforeCommit) {
  crash_at("store.before_commit", 12);
}
TEST(Crash, AfterCommit) {
  crash_at("store.after_commit", 12);
}
TEST(Crash, BeforeResume) {
  crash_at("store.before_resume", 12);
}
TEST(Crash, InACheckpoint) {
  crash_at("store.checkpoint", 2);
}
TEST(Crash, BeforeTheAuditHeadIsWritten) {
  crash_at("audit_head.before_write", 2);
}
TEST(Crash, BeforeTheAuditHeadIsReplaced) {
  crash_at("file.before_replace", 2);
}

TEST(Crash, AtRandomMoments) {
  const Factory factory;
  std::vector<Registration> everything;
  for (unsigned round = 0; round < 2 + rounds(); ++round) {
    const auto server = factory.serve();
    Load load(server->port(), kStations);
    const auto wanted = static_cast<std::size_t>(random_between(1, 150));
    EXPECT_TRUE(wait_until([&] { return load.acknowledged() >= wanted; }));
    server->kill();
    auto tried = load.finish();
    EXPECT_TRUE(load.refusals().empty()) << load.refusals().front();
    const std::size_t fresh = everything.size();
    std::move(tried.begin(), tried.end(), std::back_inserter(everything));
    expect_nothing_lost(factory, everything, fresh);
  }
}

TEST(Crash, WhileInitMakesItsFiles) {
#ifndef BIRTHMARK_CRASH_POINTS
  GTEST_SKIP() << "this build has no crash points";
#endif
  const ScratchDirectory scratch;
  const auto directory = scratch.path() / "factory";
  const Arguments init{program(), "init", directory, "--factory", "acme", "--gateway-dns", "a.example", "--ostree-dns", "b.example"};
  int crashes = 0;
  for (;; ++crashes) {
    ASSERT_LT(crashes, 100) << "every run must come further than the one before";
    // The second file of each run: what the one before made is there already.
    const Outcome made = run(init, {"BIRTHMARK_CRASH_AT=file.before_create:2"});
    if (made.exit_code == 0) break;
    ASSERT_EQ(made.exit_code, -1) << made.errors;
  }
  EXPECT_GE(crashes, 4);
  EXPECT_EQ(run({program(), "audit", "verify", "--dir", directory}).exit_code, 0);
  EXPECT_NE(run({program(), "status", "--dir", directory}).output.find("ready         yes"), std::string::npos);
}

TEST(Crash, WhileACaIsInstalled) {
#ifndef BIRTHMARK_CRASH_POINTS
  GTEST_SKIP() << "this build has no crash points";
#endif
  for (const char* point : {"file.before_create:1", "store.before_commit:1", "store.after_commit:1"}) {
    SCOPED_TRACE(point);
    const Factory factory(Factory::Pki::no);
    const auto pki = factory.scratch() / "owner";
    ASSERT_EQ(factory.birthmark({"ca", "create", pki, "--csr-dir", factory.directory() / "csr"}).exit_code, 0);
    const Arguments install{
        "ca", "install", pki / "factory_ca.pem", pki / "tls-crt", pki / "online-crt", pki / "local-ca.pem", pki / "local-ca.key"};
    Arguments all = install;
    all.insert(all.end(), {"--dir", factory.directory()});
    const auto server = factory.serve({{std::string("BIRTHMARK_CRASH_AT=") + point}, 2});
    const Outcome cut_off = factory.birthmark(all);
    EXPECT_EQ(cut_off.exit_code, 1) << cut_off.output;
    EXPECT_NE(cut_off.errors.find("the server ended before the command was done"), std::string::npos) << cut_off.errors;
    ASSERT_TRUE(server->wait());
    const auto again = factory.serve();
    factory.command(install);
    const auto answer = post_sign(again->port(), Device::make().body());
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->status, 201) << answer->body;
    expect_audit_whole(factory);
  }
}

}  // namespace
}  // namespace birthmark::e2e
