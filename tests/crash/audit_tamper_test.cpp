// SPDX-License-Identifier: Apache-2.0
// A forger with the database file in his hands: each kind of change is found by verify_audit and called by its name.
#include <gtest/gtest.h>

#include "base/run_task.h"
#include "contract/registry_samples.h"
#include "core/audit_verifier.h"
#include "raw_database.h"
#include "scratch_directory.h"
#include "store/memory/memory_registry.h"
#include "store/sqlite/sqlite_registry.h"

namespace birthmark::testing {
namespace {

using core::AuditFault;

const DigestCodec kCodec;

class AuditTamper : public ::testing::Test {
 protected:
  // Record 1 is the trust change; device N (1 to 20) has record N + 1; 22 denies device 3, 23 denies 4, 24 releases 4.
  AuditTamper() {
    auto registry = open();
    EXPECT_TRUE(run_task(registry->apply(sample_trust())));
    for (std::uint64_t device = 1; device <= 20; ++device) enroll(*registry, device);
    deny(*registry, 3);
    deny(*registry, 4);
    const auto identity = sample_identity(4);
    EXPECT_TRUE(run_task(registry->allow(identity, kAt, sample_operator_body(core::AuditEvent::device_allowed, identity, kAt))));
    head_ = *registry->audit_head();
    EXPECT_EQ(head_.count, 24U);
  }

  static void enroll(core::Registry& registry, std::uint64_t device) {
    core::Preconditions expected;
    expected.trust_epoch = *registry.trust_epoch();
    EXPECT_TRUE(run_task(registry.record(sample_issuance(device, device, device), expected)));
  }
  static void deny(core::Registry& registry, std::uint64_t device) {
    const auto identity = sample_identity(device);
    EXPECT_TRUE(run_task(registry.deny(identity, kAt, sample_operator_body(core::AuditEvent::device_denied, identity, kAt))));
  }

  std::unique_ptr<store::SqliteRegistry> open() {
    store::SqliteOptions options;
    options.path = database_;
    auto opened = store::SqliteRegistry::open(options, kCodec);
    BIRTHMARK_ASSERT(opened.has_value());
    return std::move(*opened);
  }

  core::AuditVerdict verify(std::optional<core::AuditHead> expected = std::nullopt) {
    auto registry = open();
    auto verdict = core::verify_audit(*registry, kCodec, expected, std::nullopt);
    EXPECT_TRUE(verdict) << verdict.error().describe();
    return verdict.value_or(core::AuditVerdict{});
  }

  void forge(const std::string& sql) { RawDatabase(database_).execute(sql); }

  static constexpr Instant kAt = Instant(Duration(kSampleEpochMs));
  static constexpr const char* kPosition = "position = (1 << 40) + ";
  ScratchDirectory directory_;
  std::filesystem::path database_ = directory_.file("registry.db");
  core::AuditHead head_;
};

TEST_F(AuditTamper, an_untouched_registry_verifies_against_its_heads) {
  const auto verdict = verify(head_);
  EXPECT_TRUE(verdict.good()) << verdict.text;
  EXPECT_EQ(verdict.head, head_);
  EXPECT_EQ(verdict.devices, 20U);
}

TEST_F(AuditTamper, an_older_head_is_a_prefix_of_the_chain) {
  enroll(*open(), 21);
  EXPECT_TRUE(verify(head_).good());
}

TEST_F(AuditTamper, an_edited_body_is_found) {
  forge("UPDATE audit SET body = replace(body, 'station-7', 'station-8') WHERE " + std::string(kPosition) + "8");
  const auto verdict = verify(head_);
  EXPECT_EQ(verdict.fault, AuditFault::record_edited);
  EXPECT_EQ(verdict.sequence, 8U);
  EXPECT_NE(verdict.text.find("record 8 was edited"), std::string::npos) << verdict.text;
}

TEST_F(AuditTamper, an_edited_hash_is_found) {
  forge("UPDATE audit SET hash = randomblob(32) WHERE " + std::string(kPosition) + "24");
  const auto verdict = verify();
  EXPECT_EQ(verdict.fault, AuditFault::record_edited);
  EXPECT_EQ(verdict.sequence, 24U);
}

TEST_F(AuditTamper, a_deleted_record_is_found) {
  forge("DELETE FROM audit WHERE " + std::string(kPosition) + "10");
  const auto verdict = verify(head_);
  EXPECT_EQ(verdict.fault, AuditFault::record_deleted);
  EXPECT_EQ(verdict.sequence, 10U);
  EXPECT_NE(verdict.text.find("record 10 was deleted"), std::string::npos) << verdict.text;
}

TEST_F(AuditTamper, a_deleted_first_record_is_found) {
  forge("DELETE FROM audit WHERE " + std::string(kPosition) + "1");
  EXPECT_EQ(verify().fault, AuditFault::record_deleted);
}

TEST_F(AuditTamper, a_deleted_record_whose_gap_was_closed_is_found) {
  forge("DELETE FROM audit WHERE " + std::string(kPosition) + "10");
  for (int number = 11; number <= 24; ++number)
    forge("UPDATE audit SET position = position - 1 WHERE " + std::string(kPosition) + std::to_string(number));
  const auto verdict = verify();
  EXPECT_FALSE(verdict.good());
  EXPECT_EQ(verdict.sequence, 10U);
}

TEST_F(AuditTamper, two_records_that_changed_places_are_found) {
  const std::string position(kPosition);
  forge("UPDATE audit SET position = -1 WHERE " + position + "5; UPDATE audit SET position = (1 << 40) + 5 WHERE " + position +
        "9; UPDATE audit SET position = (1 << 40) + 9 WHERE position = -1");
  const auto verdict = verify(head_);
  EXPECT_EQ(verdict.fault, AuditFault::records_reordered);
  EXPECT_EQ(verdict.sequence, 5U);
  EXPECT_NE(verdict.text.find("records 5 and 9 changed places"), std::string::npos) << verdict.text;
}

TEST_F(AuditTamper, a_cut_tail_is_found_by_the_head_outside) {
  forge("DELETE FROM audit WHERE position > (1 << 40) + 15");
  const auto verdict = verify(head_);
  EXPECT_EQ(verdict.fault, AuditFault::tail_cut);
  EXPECT_EQ(verdict.sequence, 16U);
  EXPECT_NE(verdict.text.find("16 to 24 are missing"), std::string::npos) << verdict.text;
}

TEST_F(AuditTamper, a_cut_tail_is_found_by_the_tables_even_without_a_head) {
  forge("DELETE FROM audit WHERE position > (1 << 40) + 15");
  const auto verdict = verify();
  EXPECT_EQ(verdict.fault, AuditFault::device_differs);
  EXPECT_EQ(verdict.device, sample_uuid(3)) << "denied by a record that is gone; devices 15 to 20 would be next";
}

TEST_F(AuditTamper, an_older_database_put_back_is_found) {
  const auto backup = directory_.file("backup.db");
  std::filesystem::copy_file(database_, backup);
  enroll(*open(), 21);
  head_ = *open()->audit_head();
  std::filesystem::copy_file(backup, database_, std::filesystem::copy_options::overwrite_existing);
  const auto verdict = verify(head_);
  EXPECT_EQ(verdict.fault, AuditFault::older_database);
  EXPECT_EQ(verdict.sequence, 25U);
  EXPECT_NE(verdict.text.find("older database"), std::string::npos) << verdict.text;
}

TEST_F(AuditTamper, a_chain_made_anew_is_found_by_the_head_outside) {
  core::AuditHead other = head_;
  other.count = 12;
  other.hash.octets[0] ^= 1U;
  const auto verdict = verify(other);
  EXPECT_EQ(verdict.fault, AuditFault::head_differs);
  EXPECT_EQ(verdict.sequence, 12U);
}

TEST_F(AuditTamper, a_device_taken_off_the_deny_list_in_the_table_is_found) {
  forge("UPDATE identity SET status = 1 WHERE id = 3");
  const auto verdict = verify();
  EXPECT_EQ(verdict.fault, AuditFault::device_differs);
  EXPECT_EQ(verdict.device, sample_uuid(3));
  EXPECT_NE(verdict.text.find("is active in the registry and denied by the audit"), std::string::npos) << verdict.text;
}

TEST_F(AuditTamper, another_key_in_the_table_is_found) {
  forge("UPDATE credential SET spki_sha256 = randomblob(32) WHERE identity = 7");
  const auto verdict = verify();
  EXPECT_EQ(verdict.fault, AuditFault::device_differs);
  EXPECT_EQ(verdict.device, sample_uuid(7));
  EXPECT_NE(verdict.text.find("another key"), std::string::npos) << verdict.text;
}

TEST_F(AuditTamper, another_certificate_or_serial_in_the_table_is_found) {
  forge("UPDATE certificate_der SET der = randomblob(500) WHERE certificate = 9");
  auto verdict = verify();
  EXPECT_EQ(verdict.fault, AuditFault::device_differs);
  EXPECT_EQ(verdict.device, sample_uuid(9));
  EXPECT_NE(verdict.text.find("another certificate"), std::string::npos) << verdict.text;
  forge("UPDATE certificate SET serial = x'0badcafe' WHERE id = 8");
  verdict = verify();
  EXPECT_EQ(verdict.device, sample_uuid(8));
}

TEST_F(AuditTamper, a_device_added_without_audit_is_found) {
  forge(
      "INSERT INTO identity (factory, ecosystem, external_id, status, production, created_at, name, hardware_id, station) "
      "VALUES (1, 1, 'smuggled', 1, 1, 0, '', '', '')");
  const auto verdict = verify();
  EXPECT_EQ(verdict.fault, AuditFault::device_unaudited);
  EXPECT_EQ(verdict.device, "smuggled");
}

TEST_F(AuditTamper, a_device_removed_from_the_tables_is_found) {
  forge(
      "DELETE FROM certificate_der WHERE certificate = 12; DELETE FROM certificate WHERE id = 12; DELETE FROM credential WHERE id = 12; "
      "DELETE FROM identity WHERE id = 12");
  const auto verdict = verify();
  EXPECT_EQ(verdict.fault, AuditFault::device_missing);
  EXPECT_EQ(verdict.device, sample_uuid(12));
}

TEST_F(AuditTamper, a_well_linked_record_that_nobody_writes_is_found) {
  auto registry = store::make_memory_registry(kCodec);
  ASSERT_TRUE(run_task(registry->append_audit("{\"event\":\"device_issued\", \"id\":\"spaced\"}")));
  const auto verdict = core::verify_audit(*registry, kCodec, std::nullopt, std::nullopt);
  ASSERT_TRUE(verdict);
  EXPECT_EQ(verdict->fault, AuditFault::record_unreadable);
}

TEST_F(AuditTamper, names_with_every_kind_of_character_verify) {
  auto registry = open();
  auto issuance = sample_issuance(30, 30, 30);
  issuance.identity.external_id = "a:b-c";
  issuance.name = "quote \" backslash \\ tab \t unit \x01 euro \xe2\x82\xac";
  issuance.audit_body = sample_audit_body(core::AuditEvent::device_issued, issuance);
  core::Preconditions expected;
  expected.trust_epoch = *registry->trust_epoch();
  ASSERT_TRUE(run_task(registry->record(issuance, expected)));
  const auto verdict = core::verify_audit(*registry, kCodec, std::nullopt, std::nullopt);
  ASSERT_TRUE(verdict);
  EXPECT_TRUE(verdict->good()) << verdict->text;
}

TEST_F(AuditTamper, every_tenth_of_a_million_records_is_reported) {
  auto registry = store::make_memory_registry(kCodec);
  const std::string body = core::audit_body(core::AuditEvent::checkpoint, kAt, {});
  boost::asio::io_context context(1);
  for (int i = 0; i < 100'001; ++i) {
    auto task = registry->append_audit(body);
    boost::asio::co_spawn(context, std::move(task), [](std::exception_ptr, const Status&) {});
  }
  context.run();
  std::vector<std::uint64_t> reported;
  ASSERT_TRUE(core::verify_audit(*registry, kCodec, std::nullopt, std::nullopt, [&](std::uint64_t n) { reported.push_back(n); }));
  EXPECT_EQ(reported, std::vector<std::uint64_t>{100'000});
}

}  // namespace
}  // namespace birthmark::testing
