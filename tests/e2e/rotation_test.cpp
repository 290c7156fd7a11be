// SPDX-License-Identifier: Apache-2.0
// A rotation with the server killed at every named point, before and after every request, and with the connection cut: whatever happened,
// the device ends connected with exactly one valid key, and the key before it is refused.
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <csignal>
#include <memory>

#include "base/text.h"
#include "http_peer.h"
#include "rotating_device.h"

namespace birthmark::e2e {
namespace {

constexpr const char* kSecret = "the secret of this device";

ServerProcess::Options both_listeners(const std::string& crash_at = {}) {
  ServerProcess::Options options;
  options.listen = {"registration=127.0.0.1:0", "gateway=127.0.0.1:0"};
  if (!crash_at.empty()) options.environment = {"BIRTHMARK_CRASH_AT=" + crash_at};
  return options;
}

// How many credentials of the device are in `state` (1 pending, 2 current).
int credentials(const Factory& factory, const std::string& uuid, int state) {
  sqlite3* database = nullptr;
  int count = -1;
  if (sqlite3_open_v2(factory.database().c_str(), &database, SQLITE_OPEN_READONLY, nullptr) == SQLITE_OK) {
    sqlite3_stmt* statement = nullptr;
    sqlite3_prepare_v2(database,
                       "SELECT count(*) FROM credential c JOIN identity i ON i.id = c.identity"
                       " WHERE c.state = ?1 AND (i.external_id = ?2 OR hex(i.external_id) = upper(replace(?2, '-', '')))",
                       -1, &statement, nullptr);
    sqlite3_bind_int(statement, 1, state);
    sqlite3_bind_text(statement, 2, uuid.c_str(), -1, SQLITE_TRANSIENT);
    if (sqlite3_step(statement) == SQLITE_ROW) count = sqlite3_column_int(statement, 0);
    sqlite3_finalize(statement);
  }
  sqlite3_close(database);
  return count;
}

// One factory for all cases: later ones meet what earlier ones left.
const Factory& factory() {
  static const Factory only;
  return only;
}

// A device with a secret, known to the gateway.
std::unique_ptr<RotatingDevice> make_device(const ServerProcess& server) {
  auto device = std::make_unique<RotatingDevice>(factory(), server);
  EXPECT_EQ(device->check_in(server), 204);
  const auto file = factory().scratch() / "secret";
  write_text(file, kSecret);
  const auto empty = factory().scratch() / "empty";
  write_text(empty, "");
  factory().command(
      {"config", "set", "wifi=" + file.string(), "empty=" + empty.string(), "--device", device->uuid(), "--encrypt", "--reason", "test"});
  EXPECT_EQ(device->secret(server, "wifi"), kSecret);
  return device;
}

// After whatever happened: `server` is well again.
void expect_one_good_key(RotatingDevice& device, const ServerProcess& server) {
  for (int tries = 0; device.rotating() && tries < 3; ++tries) static_cast<void>(device.walk(server));
  ASSERT_FALSE(device.rotating()) << "the rotation does not end";
  EXPECT_EQ(device.check_in(server), 200);
  EXPECT_EQ(device.check_in_as_before(server), 409);
  EXPECT_EQ(device.check_in(server), 200);
  EXPECT_EQ(device.secret(server, "wifi"), kSecret);
  EXPECT_EQ(device.secret(server, "empty"), "");
  EXPECT_EQ(credentials(factory(), device.uuid(), 2), 1);
  EXPECT_EQ(credentials(factory(), device.uuid(), 1), 0);
  const std::string shown = factory().command({"device", "show", device.uuid(), "--format", "json"});
  EXPECT_NE(shown.find(to_hex(device.key().view())), std::string::npos) << shown;
}

void expect_audit_whole() {
  const Outcome verified = factory().birthmark({"audit", "verify", "--dir", factory().directory()});
  EXPECT_EQ(verified.exit_code, 0) << verified.output << verified.errors;
}

TEST(Rotation, WithoutTroubleItTakesTheseRequests) {
  const auto server = factory().serve(both_listeners());
  const auto device = make_device(*server);
  const int before = device->requests();
  ASSERT_TRUE(device->walk(*server));
  EXPECT_EQ(device->requests() - before, 10);  // what the cases below count through
  EXPECT_EQ(device->check_in(*server), 200);
  expect_one_good_key(*device, *server);
  EXPECT_EQ(server->stop(), 0);
  expect_audit_whole();
}

class KilledServer : public ::testing::TestWithParam<std::string> {};

TEST_P(KilledServer, LeavesOneGoodKey) {
#ifndef BIRTHMARK_CRASH_POINTS
  GTEST_SKIP() << "this build has no crash points";
#endif
  auto server = factory().serve(both_listeners());
  const auto device = make_device(*server);
  EXPECT_EQ(server->stop(), 0);
  server = factory().serve(both_listeners(GetParam()));
  // The point may be passed by the last step of all: the first use of the new key.
  static_cast<void>(device->walk(*server) && device->check_in(*server));
  const auto end = server->wait(milliseconds(5'000));
  ASSERT_TRUE(end) << "it never came by";
  EXPECT_EQ(end->signal, SIGKILL) << server->log_text();
  server = factory().serve(both_listeners());
  EXPECT_NE(device->check_in(*server), 0);
  expect_one_good_key(*device, *server);
  EXPECT_EQ(server->stop(), 0);
  expect_audit_whole();
}

std::vector<std::string> points() {
  std::vector<std::string> all{"renew.before_sign",           "renew.before_record",        "renew.after_record",
                               "gateway.before_announcement", "gateway.after_announcement", "gateway.before_own_config",
                               "gateway.after_own_config",    "gateway.before_key_switch",  "gateway.after_key_switch"};
  for (int request = 1; request <= 11; ++request) {  // the last is the check-in with the new key
    all.push_back("gateway.before_request:" + std::to_string(request));
    all.push_back("gateway.before_answer:" + std::to_string(request));
  }
  for (int commit = 1; commit <= 5; ++commit) {
    all.push_back("store.before_commit:" + std::to_string(commit));
    all.push_back("store.after_commit:" + std::to_string(commit));
  }
  return all;
}

std::string plain_name(const ::testing::TestParamInfo<std::string>& instance) {
  std::string name = instance.param;
  for (char& c : name) {
    if (c == '.' || c == ':') c = '_';
  }
  return name;
}

INSTANTIATE_TEST_SUITE_P(Points, KilledServer, ::testing::ValuesIn(points()), plain_name);

TEST(Rotation, ACutConnectionAtEveryRequestLeavesOneGoodKey) {
  const auto server = factory().serve(both_listeners());
  for (const Cut cut : {Cut::half_sent, Cut::all_sent, Cut::answered}) {
    for (int request = 1; request <= 11; ++request) {
      SCOPED_TRACE("request " + std::to_string(request) + ", cut " + std::to_string(static_cast<int>(cut)));
      const auto device = make_device(*server);
      device->cut_request(request, cut);
      static_cast<void>(device->walk(*server) && device->check_in(*server));
      expect_one_good_key(*device, *server);
      if (HasFatalFailure()) return;
    }
  }
  EXPECT_EQ(server->stop(), 0);
  expect_audit_whole();
}

TEST(Rotation, AnOldWordOpensNoDoor) {
  const auto server = factory().serve(both_listeners());
  const auto device = make_device(*server);
  ASSERT_TRUE(device->walk(*server));  // announced, and perhaps stolen before it was ever used
  factory().command({"device", "forget-key", device->uuid(), "--reason", "repair"});
  const Device repaired = Device::make(device->uuid());
  const auto answer = post_sign(server->port(), repaired.body());
  ASSERT_TRUE(answer && answer->status == 201) << (answer ? answer->body : "");
  EXPECT_EQ(device->check_in(*server), 409);
  EXPECT_EQ(device->check_in_as_before(*server), 409);
}

// What a change refuses is cut, what it does not concern goes on.
TEST(OpenConnections, ADenialEndsTheDevicesOwn) {
  const auto server = factory().serve(both_listeners());
  const auto device = make_device(*server), other = make_device(*server);
  const auto connect = [&](const RotatingDevice& who) {
    net_test::TlsPeerOptions options;
    options.certificate = &who.certificate();
    options.server_name = "x.ota-lite.example";
    auto peer = std::make_unique<net_test::TlsPeer>(server->port("gateway"), options);
    EXPECT_TRUE(peer->connect());
    return peer;
  };
  const auto peer = connect(*device), bystander = connect(*other);
  constexpr const char* kRequest = "GET /config HTTP/1.1\r\nHost: x.ota-lite.example\r\n\r\n";
  for (net_test::TlsPeer* one : {peer.get(), bystander.get()}) {
    const auto answer = one->ask(kRequest);
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->status, 200);
  }
  factory().command({"device", "deny", device->uuid(), "--reason", "stolen"});
  const auto refused = peer->ask(kRequest);
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->status, 403);
  EXPECT_TRUE(refused->has("Connection: close")) << refused->head;
  EXPECT_FALSE(peer->ask(kRequest));
  const auto still = bystander->ask(kRequest);
  ASSERT_TRUE(still);
  EXPECT_EQ(still->status, 200);
}

}  // namespace
}  // namespace birthmark::e2e
