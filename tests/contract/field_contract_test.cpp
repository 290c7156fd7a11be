// SPDX-License-Identifier: Apache-2.0
// The contracts of core/ports/field_log.h and core/ports/key_changes.h, run against every adapter.
#include "base/run_task.h"
#include "registry_samples.h"
#include "registry_under_test.h"

namespace birthmark::testing {
namespace {

constexpr Instant kStart = Instant(Duration(kSampleEpochMs));

class FieldContract : public ::testing::TestWithParam<Adapter> {
 protected:
  FieldContract() : under_test_(GetParam().make()) {}
  core::Registry& registry() { return under_test_->registry(); }
  core::FieldLog& field() { return under_test_->field(); }

  Result<core::FieldEntry> append(const std::string& owner, const std::string& body, std::size_t keep = 10) {
    return run_task(field().append(entry(owner, body, keep)));
  }
  static core::FieldAppend entry(const std::string& owner, const std::string& body, std::size_t keep = 10) {
    core::FieldAppend made;
    made.key = {"factory-a", owner, "config"};
    made.bodies = {body};
    made.at = kStart;
    made.keep = keep;
    return made;
  }
  std::vector<core::FieldEntry> newest(const std::string& owner, std::size_t limit = 100) {
    return *field().newest({"factory-a", owner, "config"}, limit);
  }
  std::unique_ptr<RegistryUnderTest> under_test_;
};

TEST_P(FieldContract, a_log_is_read_newest_first_and_belongs_to_its_owner) {
  for (const char* body : {"one", "two", "three"}) ASSERT_TRUE(append("device:a", body));
  ASSERT_TRUE(append("device:b", "other"));
  const auto all = newest("device:a");
  ASSERT_EQ(all.size(), 3U);
  EXPECT_EQ(all[0].body, "three");
  EXPECT_EQ(all[2].body, "one");
  EXPECT_GT(all[0].row, all[1].row);
  EXPECT_EQ(newest("device:a", 1).size(), 1U);
  EXPECT_EQ(newest("device:c").size(), 0U);
  EXPECT_EQ(field().newest({"factory-b", "device:a", "config"}, 10)->size(), 0U);
}

TEST_P(FieldContract, only_the_newest_are_kept) {
  for (int i = 0; i < 7; ++i) ASSERT_TRUE(append("device:a", std::to_string(i), 3));
  const auto all = newest("device:a");
  ASSERT_EQ(all.size(), 3U);
  EXPECT_EQ(all[0].body, "6");
  EXPECT_EQ(all[2].body, "4");
}

TEST_P(FieldContract, strictly_later_entries_never_share_a_second) {
  const std::uint64_t before = field().generation();
  core::FieldAppend change = entry("device:a", "x");
  change.strictly_later = true;
  change.bodies = {"x", "y", "z"};
  ASSERT_TRUE(run_task(field().append(change)));
  ASSERT_TRUE(run_task(field().append(change)));
  const auto all = newest("device:a");
  ASSERT_EQ(all.size(), 6U);
  for (std::size_t i = 0; i + 1 < all.size(); ++i) {
    EXPECT_GT(std::chrono::floor<std::chrono::seconds>(all[i].at), std::chrono::floor<std::chrono::seconds>(all[i + 1].at));
  }
  EXPECT_GT(field().generation(), before);
}

TEST_P(FieldContract, an_unexpected_newest_entry_is_a_conflict_and_nothing_is_written) {
  core::FieldAppend change = entry("device:a", "first");
  change.expected_newest = 0;
  change.audit_body = core::audit_body(core::AuditEvent::trust_changed, kStart, {{"what", "test"}});
  const auto first = run_task(field().append(change));
  ASSERT_TRUE(first);
  const auto audited = registry().audit_head()->count;
  const auto second = run_task(field().append(change));
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::conflict);
  EXPECT_EQ(newest("device:a").size(), 1U);
  EXPECT_EQ(registry().audit_head()->count, audited);
  change.expected_newest = first->row;
  EXPECT_TRUE(run_task(field().append(change)));
  EXPECT_EQ(registry().audit_head()->count, audited + 1);
}

TEST_P(FieldContract, kinds_are_found_by_prefix) {
  for (const char* kind : {"artifact:t1/a", "artifact:t1/b", "artifact:t2/a", "test:t1"}) {
    core::FieldAppend made = entry("device:a", "x");
    made.key.kind = kind;
    ASSERT_TRUE(run_task(field().append(made)));
  }
  const auto found = field().kinds("factory-a", "device:a", "artifact:t1/", 10);
  ASSERT_TRUE(found);
  EXPECT_EQ(*found, (std::vector<std::string>{"artifact:t1/a", "artifact:t1/b"}));
  EXPECT_EQ(field().kinds("factory-a", "device:a", "artifact:", 2)->size(), 2U);
}

class KeyContract : public FieldContract {
 protected:
  KeyContract() {
    core::TrustChange change;
    change.upserts.push_back(
        {0, "factory-a", core::AuthorityRole::device_ca, core::AuthorityState::active, to_bytes(as_bytes("ca")), kStart});
    EXPECT_TRUE(run_task(registry().apply(change)));
    EXPECT_TRUE(run_task(registry().record(issuance(1), preconditions(std::nullopt))));
  }
  // Certificate N of the one device, for key N.
  core::IssuanceRecord issuance(std::uint64_t number) {
    core::IssuanceRecord record;
    record.identity = sample_identity(1);
    record.spki_sha256 = sample_key(number);
    record.issuer = 1;
    record.serial = sample_serial(number);
    record.not_before = kStart;
    record.not_after = kStart + std::chrono::hours(24);
    record.issued_at = kStart;
    record.certificate_der = sample_certificate(number);
    record.audit_body = sample_audit_body(number == 1 ? core::AuditEvent::device_issued : core::AuditEvent::device_renewed, record);
    return record;
  }
  core::Preconditions preconditions(std::optional<SpkiHash> key) {
    core::Preconditions expected;
    expected.current_key = key;
    expected.trust_epoch = *registry().trust_epoch();
    return expected;
  }
  core::KeyChanges& keys() { return under_test_->key_changes(); }
  core::DeviceRecord device() { return **registry().find(sample_identity(1)); }
  Result<core::RecordOutcome> promote(const core::PendingKey& pending, std::optional<SpkiHash> current) {
    return run_task(keys().promote(sample_identity(1), pending, preconditions(current), kStart,
                                   sample_audit_body(core::AuditEvent::device_rekeyed, issuance(2))));
  }
};

TEST_P(KeyContract, a_pending_key_changes_nothing_until_it_is_promoted) {
  ASSERT_EQ(run_task(keys().record_pending(issuance(2), preconditions(sample_key(1))))->conflict, core::RecordConflict::none);
  EXPECT_EQ(device().current_key, sample_key(1));
  const auto pending = keys().pending_key(sample_identity(1));
  ASSERT_TRUE(pending && *pending);
  EXPECT_EQ((*pending)->spki_sha256, sample_key(2));
  EXPECT_EQ((*pending)->certificate.der, sample_certificate(2));
  const auto epoch = *registry().trust_epoch();
  ASSERT_EQ(promote(**pending, sample_key(1))->conflict, core::RecordConflict::none);
  EXPECT_EQ(device().current_key, sample_key(2));
  EXPECT_EQ(device().certificate->der, sample_certificate(2));
  EXPECT_EQ(device().certificate->delivery, core::Delivery::presented);
  EXPECT_GT(*registry().trust_epoch(), epoch);
  EXPECT_FALSE(*keys().pending_key(sample_identity(1)));
  EXPECT_EQ(promote(**pending, sample_key(2))->conflict, core::RecordConflict::identity_changed);  // once
}

TEST_P(KeyContract, a_later_pending_key_replaces_the_earlier) {
  ASSERT_TRUE(run_task(keys().record_pending(issuance(2), preconditions(sample_key(1)))));
  const auto earlier = **keys().pending_key(sample_identity(1));
  ASSERT_TRUE(run_task(keys().record_pending(issuance(3), preconditions(sample_key(1)))));
  EXPECT_EQ((**keys().pending_key(sample_identity(1))).spki_sha256, sample_key(3));
  EXPECT_EQ(promote(earlier, sample_key(1))->conflict, core::RecordConflict::identity_changed);
}

TEST_P(KeyContract, a_pending_key_goes_with_the_key_that_asked_for_it) {
  ASSERT_TRUE(run_task(keys().record_pending(issuance(2), preconditions(sample_key(1)))));
  const auto pending = **keys().pending_key(sample_identity(1));
  core::DeviceChange forget;
  forget.forget_key = true;
  ASSERT_TRUE(run_task(registry().change(sample_identity(1), forget, kStart,
                                         sample_operator_body(core::AuditEvent::device_key_forgotten, sample_identity(1), kStart))));
  ASSERT_EQ(run_task(registry().record(issuance(3), preconditions(std::nullopt)))->conflict, core::RecordConflict::none);
  EXPECT_FALSE(*keys().pending_key(sample_identity(1)));
  EXPECT_EQ(promote(pending, sample_key(3))->conflict, core::RecordConflict::identity_changed);
  EXPECT_EQ(device().current_key, sample_key(3));
}

TEST_P(KeyContract, preconditions_hold_for_pending_keys_too) {
  EXPECT_EQ(run_task(keys().record_pending(issuance(2), preconditions(sample_key(9))))->conflict, core::RecordConflict::identity_changed);
  core::IssuanceRecord same_key = issuance(1);
  same_key.serial = sample_serial(5);
  EXPECT_EQ(run_task(keys().record_pending(same_key, preconditions(sample_key(1))))->conflict, core::RecordConflict::identity_changed);
  ASSERT_TRUE(run_task(
      registry().deny(sample_identity(1), kStart, sample_operator_body(core::AuditEvent::device_denied, sample_identity(1), kStart))));
  EXPECT_EQ(run_task(keys().record_pending(issuance(2), preconditions(sample_key(1))))->conflict, core::RecordConflict::denied);
}

TEST_P(KeyContract, a_key_that_takes_anothers_place_raises_the_epoch) {
  const auto epoch = *registry().trust_epoch();
  core::IssuanceRecord next = issuance(2);
  next.audit_body = sample_audit_body(core::AuditEvent::device_admitted, next);
  ASSERT_EQ(run_task(registry().record(next, preconditions(sample_key(1))))->conflict, core::RecordConflict::none);
  EXPECT_GT(*registry().trust_epoch(), epoch);
}

TEST_P(KeyContract, contacts_are_remembered_and_never_go_back) {
  const core::RowId row = device().row;
  field().note_contacts({{row, kStart + std::chrono::hours(2)}});
  field().note_contacts({{row, kStart + std::chrono::hours(1)}});
  ASSERT_TRUE(append("device:a", "behind them in the queue"));
  EXPECT_EQ(device().last_seen, kStart + std::chrono::hours(2));
}

INSTANTIATE_TEST_SUITE_P(Every, KeyContract, every_adapter(), adapter_name);
INSTANTIATE_TEST_SUITE_P(Every, FieldContract, every_adapter(), adapter_name);

}  // namespace
}  // namespace birthmark::testing
