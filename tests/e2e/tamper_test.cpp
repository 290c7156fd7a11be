// SPDX-License-Identifier: Apache-2.0
// Somebody with the database file and plain SQLite: every way to change the record is found and named by `audit verify`, and a server does
// not start over a database that is older than its signed head.
#include <gtest/gtest.h>

#include "../crash/raw_database.h"
#include "device.h"
#include "http_peer.h"
#include "server_process.h"

namespace birthmark::e2e {
namespace {

constexpr int kDevices = 6;

class Tamper : public ::testing::Test {
 protected:
  Tamper() {
    register_devices(kDevices);
    require(verify().exit_code == 0, "the audit is not whole to begin with");
  }

  void register_devices(int count) {
    const auto server = factory_.serve();
    for (int i = 0; i < count; ++i) {
      devices_.push_back(Device::make());
      const auto answer = post_sign(server->port(), devices_.back().body());
      require(answer && answer->status == 201, "not registered");
    }
    require(server->stop() == 0, "the server ended badly: " + server->log_text());
  }

  void change(const std::string& sql) const { testing::RawDatabase(factory_.database()).execute(sql); }
  [[nodiscard]] std::string value(const std::string& sql) const { return testing::RawDatabase(factory_.database()).value(sql); }
  [[nodiscard]] Outcome verify() const { return factory_.birthmark({"audit", "verify", "--dir", factory_.directory()}); }

  void expect_found(const std::string& fault, const std::string& sentence) const {
    const Outcome verdict = verify();
    EXPECT_EQ(verdict.exit_code, 1) << verdict.output;
    EXPECT_NE(verdict.errors.find(fault + ": " + sentence), std::string::npos) << verdict.errors;
  }

  void expect_no_start(const std::string& reason) const {
    const auto server = factory_.try_to_serve();
    EXPECT_FALSE(server->wait_until_ready());
    const auto end = server->wait();
    ASSERT_TRUE(end);
    EXPECT_EQ(end->code, 1);
    EXPECT_NE(server->log_text().find(reason), std::string::npos) << server->log_text();
  }

  Factory factory_;
  std::vector<Device> devices_;
};

TEST_F(Tamper, AnEditedRecordIsFound) {
  change("UPDATE audit SET body = replace(body, '" + devices_[1].uuid + "', '" + random_uuid() + "') WHERE body LIKE '%" +
         devices_[1].uuid + "%'");
  const std::string number = value("SELECT sequence FROM audit WHERE body LIKE '%" + devices_[2].uuid + "%'");
  expect_found("record-edited", "audit record " + std::to_string(std::stoi(number) - 1) + " was edited");
}

TEST_F(Tamper, ADeletedRecordIsFound) {
  change("DELETE FROM audit WHERE sequence = 3");
  expect_found("record-deleted", "audit record 3 was deleted");
}

TEST_F(Tamper, ReorderedRecordsAreFound) {
  change(
      "UPDATE audit SET position = position + 1000 WHERE sequence = 3; UPDATE audit SET position = position - 1 WHERE sequence = 4;"
      "UPDATE audit SET position = position - 999 WHERE sequence = 1003");
  expect_found("records-reordered", "audit records 3 and 4 changed places");
}

TEST_F(Tamper, ACutTailIsFound) {
  change("DELETE FROM audit WHERE sequence > (SELECT max(sequence) - 2 FROM audit)");
  expect_found("tail-cut", "audit records ");
  expect_no_start("the database is older than the signed audit head");
}

TEST_F(Tamper, AnOlderDatabaseIsFoundAndNotServed) {
  const auto copy = factory_.scratch() / "older.db";
  std::filesystem::copy_file(factory_.database(), copy);
  const std::string head = factory_.command({"audit", "head"});
  register_devices(2);
  std::filesystem::copy_file(copy, factory_.database(), std::filesystem::copy_options::overwrite_existing);
  expect_found("older-database", "audit records ");
  expect_no_start("the database is older than the signed audit head");
  expect_found("older-database", "audit records ");  // the attempt left the evidence alone
  // Whoever decides that this is the one to keep moves the head aside, as the message says.
  std::filesystem::rename(factory_.directory() / "audit.head", factory_.scratch() / "evidence");
  EXPECT_EQ(factory_.serve()->stop(), 0);
  const Outcome expected =
      factory_.birthmark({"audit", "verify", "--expect", head.substr(0, head.size() - 1), "--dir", factory_.directory()});
  EXPECT_EQ(expected.exit_code, 0) << expected.errors;
}

TEST_F(Tamper, AHeadThatWasWrittenDownElsewhereFindsAChainMadeAnew) {
  std::string head = factory_.command({"audit", "head"});
  head.pop_back();
  EXPECT_EQ(factory_.birthmark({"audit", "verify", "--expect", head, "--dir", factory_.directory()}).exit_code, 0);
  head.back() = head.back() == '0' ? '1' : '0';
  const Outcome verdict = factory_.birthmark({"audit", "verify", "--expect", head, "--dir", factory_.directory()});
  EXPECT_EQ(verdict.exit_code, 1);
  EXPECT_NE(verdict.errors.find("head-differs"), std::string::npos) << verdict.errors;
}

TEST_F(Tamper, AForgedHeadIsFound) {
  const auto path = factory_.directory() / "audit.head";
  std::string head = read_text(path);
  head[head.find('\n') - 1] = head[head.find('\n') - 1] == '0' ? '1' : '0';
  write_text(path, head);
  const Outcome verdict = verify();
  EXPECT_EQ(verdict.exit_code, 1);
  EXPECT_NE(verdict.errors.find("does not carry a signature by keys/audit.key"), std::string::npos) << verdict.errors;
}

TEST_F(Tamper, ADeviceWhoseRowWasChangedIsFound) {
  change("UPDATE credential SET spki_sha256 = zeroblob(32) WHERE identity = 2");
  expect_found("device-differs", "device " + devices_[1].uuid);
}

TEST_F(Tamper, ADeviceThatWasTakenOutIsFound) {
  change("PRAGMA foreign_keys = OFF; DELETE FROM identity WHERE id = 2");
  expect_found("device-missing", "device " + devices_[1].uuid);
}

}  // namespace
}  // namespace birthmark::e2e
