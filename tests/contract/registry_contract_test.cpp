// SPDX-License-Identifier: Apache-2.0
// The contract of core/ports/registry.h, run against every adapter. Each case is named after the sentence of the port, or the invariant of
// DESIGN section 3, that it pins.
#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <thread>

#include "base/run_task.h"
#include "digest_codec.h"
#include "registry_samples.h"
#include "registry_under_test.h"

namespace birthmark::testing {
namespace {

using core::Delivery;
using core::DeviceStatus;
using core::RecordConflict;

class RegistryContract : public ::testing::TestWithParam<Adapter> {
 protected:
  RegistryContract() : under_test_(GetParam().make()) {
    EXPECT_TRUE(run_task(registry().apply(sample_trust())));
    epoch_ = *registry().trust_epoch();
  }

  core::Registry& registry() { return under_test_->registry(); }

  core::Preconditions first() const { return expecting(std::nullopt); }
  core::Preconditions expecting(std::optional<SpkiHash> key) const {
    core::Preconditions expected;
    expected.current_key = key;
    expected.trust_epoch = epoch_;
    return expected;
  }
  core::Preconditions unseen(SpkiHash key, core::RowId certificate) const {
    core::Preconditions expected = expecting(key);
    expected.unseen_certificate = certificate;
    return expected;
  }

  core::RecordOutcome record(core::IssuanceRecord issuance, core::Preconditions expected) {
    auto outcome = run_task(registry().record(std::move(issuance), expected));
    EXPECT_TRUE(outcome) << outcome.error().describe();
    return outcome.value_or(core::RecordOutcome{});
  }
  core::RowId enroll(std::uint64_t device) {
    const auto outcome = record(sample_issuance(device, device, device), first());
    EXPECT_EQ(outcome.conflict, RecordConflict::none);
    return outcome.certificate;
  }
  std::optional<core::DeviceRecord> find(std::uint64_t device) {
    auto found = registry().find(sample_identity(device));
    EXPECT_TRUE(found) << found.error().describe();
    return found.value_or(std::nullopt);
  }
  Result<core::DeviceRecord> deny(std::uint64_t device) {
    const auto identity = sample_identity(device);
    auto denied = run_task(registry().deny(identity, kLater, sample_operator_body(core::AuditEvent::device_denied, identity, kLater)));
    epoch_ = *registry().trust_epoch();
    return denied;
  }
  Result<core::DeviceRecord> allow(std::uint64_t device) {
    const auto identity = sample_identity(device);
    auto allowed = run_task(registry().allow(identity, kLater, sample_operator_body(core::AuditEvent::device_allowed, identity, kLater)));
    epoch_ = *registry().trust_epoch();
    return allowed;
  }
  std::uint64_t audit_count() { return registry().audit_head()->count; }

  // Notes are written soon, not now: waits until `holds`, or fails after a time no machine needs.
  void eventually(const std::function<bool()>& holds) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!holds()) {
      ASSERT_LT(std::chrono::steady_clock::now(), deadline) << "still not true after 20 s";
      std::this_thread::yield();
    }
  }

  static constexpr Instant kLater = Instant(Duration(kSampleEpochMs + 3600000));
  std::uint64_t epoch_ = 0;

 private:
  std::unique_ptr<RegistryUnderTest> under_test_;
};

// --- find and record -----------------------------------------------------------------------------------------------------------------

TEST_P(RegistryContract, an_unknown_identity_is_not_an_error) {
  EXPECT_FALSE(find(1));
}

TEST_P(RegistryContract, everything_recorded_is_found_again) {
  const auto issuance = sample_issuance(1, 1, 1);
  const auto outcome = record(issuance, first());
  ASSERT_EQ(outcome.conflict, RecordConflict::none);
  const auto device = find(1);
  ASSERT_TRUE(device);
  EXPECT_EQ(device->identity, issuance.identity);
  EXPECT_EQ(device->device_id, issuance.device_id);
  EXPECT_EQ(device->status, DeviceStatus::active);
  EXPECT_EQ(device->name, issuance.name);
  EXPECT_EQ(device->hardware_id, issuance.hardware_id);
  EXPECT_EQ(device->production, issuance.production);
  EXPECT_EQ(device->station, issuance.station);
  EXPECT_EQ(device->created_at, issuance.issued_at);
  EXPECT_EQ(device->last_seen, std::nullopt);
  EXPECT_EQ(device->current_key, issuance.spki_sha256);
  ASSERT_TRUE(device->certificate);
  EXPECT_EQ(device->certificate->row, outcome.certificate);
  EXPECT_EQ(device->certificate->issuer, issuance.issuer);
  EXPECT_EQ(device->certificate->serial, issuance.serial);
  EXPECT_EQ(device->certificate->not_before, issuance.not_before);
  EXPECT_EQ(device->certificate->not_after, issuance.not_after);
  EXPECT_EQ(device->certificate->issued_at, issuance.issued_at);
  EXPECT_EQ(device->certificate->delivery, Delivery::unanswered);
  EXPECT_EQ(device->certificate->station, issuance.station);
  EXPECT_EQ(device->certificate->der, issuance.certificate_der);
}

TEST_P(RegistryContract, an_external_id_that_is_no_uuid_is_kept_as_it_is) {
  for (const std::string id : {"plain", "ABCDEF00-0000-0000-0000-000000000000", "a:b.c_d-e", "sixteen.bytes.id"}) {
    auto issuance = sample_issuance(1, 1, 100 + id.size());
    issuance.identity.external_id = id;
    EXPECT_EQ(record(issuance, first()).conflict, RecordConflict::none) << id;
    const auto found = registry().find(issuance.identity);
    ASSERT_TRUE(found && *found) << id;
    EXPECT_EQ((*found)->identity.external_id, id);
  }
  EXPECT_EQ(registry().totals()->devices, 4U);
}

TEST_P(RegistryContract, nothing_crosses_from_one_factory_or_ecosystem_to_another) {
  enroll(1);
  auto elsewhere = sample_issuance(1, 2, 2);
  elsewhere.identity.factory = "factory-b";
  EXPECT_FALSE(*registry().find(elsewhere.identity));
  EXPECT_EQ(record(elsewhere, first()).conflict, RecordConflict::none);
  auto other = sample_issuance(1, 3, 3);
  other.identity.ecosystem = core::Ecosystem::eve;
  EXPECT_EQ(record(other, first()).conflict, RecordConflict::none);
  EXPECT_EQ(find(1)->current_key, sample_key(1));
  EXPECT_EQ((*registry().find(elsewhere.identity))->current_key, sample_key(2));
  EXPECT_EQ((*registry().find(other.identity))->current_key, sample_key(3));
}

TEST_P(RegistryContract, an_external_id_has_1_to_256_bytes) {
  auto issuance = sample_issuance(1, 1, 1);
  for (const std::size_t length : {std::size_t{0}, std::size_t{257}}) {
    issuance.identity.external_id.assign(length, 'x');
    const auto refused = run_task(registry().record(issuance, first()));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::invalid);
  }
  issuance.identity.external_id.assign(256, 'x');
  EXPECT_EQ(record(issuance, first()).conflict, RecordConflict::none);
}

TEST_P(RegistryContract, an_issuer_that_is_not_in_the_registry_is_refused) {
  auto issuance = sample_issuance(1, 1, 1);
  issuance.issuer = 99;
  const auto before = audit_count();
  const auto refused = run_task(registry().record(issuance, first()));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::invalid);
  EXPECT_FALSE(find(1));
  EXPECT_EQ(audit_count(), before);
}

TEST_P(RegistryContract, the_same_key_again_adds_a_newer_certificate_under_the_same_credential) {
  const auto first_certificate = enroll(1);
  const auto again = record(sample_issuance(1, 1, 50), expecting(sample_key(1)));
  ASSERT_EQ(again.conflict, RecordConflict::none);
  EXPECT_GT(again.certificate, first_certificate);
  const auto device = find(1);
  EXPECT_EQ(device->current_key, sample_key(1));
  EXPECT_EQ(device->certificate->serial, sample_serial(50));
  EXPECT_EQ(device->created_at, sample_issuance(1, 1, 1).issued_at);
  EXPECT_EQ(registry().totals()->devices, 1U);
  EXPECT_EQ(registry().totals()->certificates, 2U);
}

TEST_P(RegistryContract, a_device_is_updated_to_what_its_newest_enrollment_says) {
  enroll(1);
  auto again = sample_issuance(1, 1, 2);
  again.name = "renamed";
  again.hardware_id = "other-board";
  again.station = "station-x";
  again.production = true;
  again.device_id = sample_octets<DeviceId>(77, 0x44);
  ASSERT_EQ(record(again, expecting(sample_key(1))).conflict, RecordConflict::none);
  const auto device = find(1);
  EXPECT_EQ(device->name, "renamed");
  EXPECT_EQ(device->hardware_id, "other-board");
  EXPECT_EQ(device->station, "station-x");
  EXPECT_TRUE(device->production);
  EXPECT_EQ(device->device_id, sample_octets<DeviceId>(1, 0x44)) << "the internal id never changes";
}

// --- preconditions: answers, not errors; on a conflict nothing was written -----------------------------------------------------------

TEST_P(RegistryContract, one_identity_has_one_current_key) {
  enroll(1);
  const auto before = audit_count();
  EXPECT_EQ(record(sample_issuance(1, 2, 2), first()).conflict, RecordConflict::identity_changed);
  EXPECT_EQ(record(sample_issuance(1, 2, 2), expecting(sample_key(9))).conflict, RecordConflict::identity_changed);
  EXPECT_EQ(find(1)->current_key, sample_key(1));
  EXPECT_EQ(audit_count(), before);
  EXPECT_EQ(registry().totals()->certificates, 1U);
}

TEST_P(RegistryContract, a_key_expected_of_an_unknown_identity_is_a_conflict_and_leaves_no_identity_behind) {
  EXPECT_EQ(record(sample_issuance(1, 1, 1), expecting(sample_key(1))).conflict, RecordConflict::identity_changed);
  EXPECT_FALSE(find(1));
  EXPECT_EQ(registry().totals()->devices, 0U);
}

TEST_P(RegistryContract, no_serial_twice_from_one_issuer) {
  enroll(1);
  const auto before = audit_count();
  auto twice = sample_issuance(2, 2, 1);
  EXPECT_EQ(record(twice, first()).conflict, RecordConflict::serial_taken);
  EXPECT_FALSE(find(2));
  EXPECT_EQ(audit_count(), before);
  twice.issuer = 2;
  EXPECT_EQ(record(twice, first()).conflict, RecordConflict::none) << "another issuer numbers for itself";
}

TEST_P(RegistryContract, a_record_decided_under_an_older_trust_epoch_is_a_conflict) {
  auto expected = first();
  expected.trust_epoch = epoch_ - 1;
  EXPECT_EQ(record(sample_issuance(1, 1, 1), expected).conflict, RecordConflict::trust_changed);
  EXPECT_FALSE(find(1));
}

TEST_P(RegistryContract, two_simultaneous_first_contacts_give_one_device) {
  constexpr unsigned kThreads = 8;
  constexpr unsigned kEach = 25;
  std::atomic<unsigned> recorded{0};
  std::atomic<unsigned> conflicts{0};
  std::vector<std::thread> stations;
  for (unsigned t = 0; t < kThreads; ++t) {
    stations.emplace_back([&, t] {
      for (unsigned i = 0; i < kEach; ++i) {
        const std::uint64_t number = 1000 + t * kEach + i;
        const auto outcome = record(sample_issuance(1, number, number), first());
        if (outcome.conflict == RecordConflict::none) recorded.fetch_add(1);
        if (outcome.conflict == RecordConflict::identity_changed) conflicts.fetch_add(1);
      }
    });
  }
  for (auto& station : stations) station.join();
  EXPECT_EQ(recorded.load(), 1U);
  EXPECT_EQ(conflicts.load(), kThreads * kEach - 1);
  EXPECT_EQ(registry().totals()->devices, 1U);
  EXPECT_EQ(registry().totals()->certificates, 1U);
}

// --- the unseen rule -----------------------------------------------------------------------------------------------------------------

TEST_P(RegistryContract, a_certificate_never_seen_may_be_superseded_by_another_key) {
  const auto lost = enroll(1);
  const auto outcome = record(sample_issuance(1, 2, 2), unseen(sample_key(1), lost));
  ASSERT_EQ(outcome.conflict, RecordConflict::none);
  const auto device = find(1);
  EXPECT_EQ(device->current_key, sample_key(2));
  EXPECT_EQ(device->certificate->row, outcome.certificate);
  EXPECT_EQ(registry().totals()->devices, 1U);
  EXPECT_EQ(registry().totals()->certificates, 2U);
  core::Preconditions earlier = expecting(sample_key(1));
  EXPECT_EQ(record(sample_issuance(1, 1, 3), earlier).conflict, RecordConflict::trust_changed)
      << "whoever remembers the earlier key is told";
  earlier.trust_epoch = *registry().trust_epoch();
  EXPECT_EQ(record(sample_issuance(1, 1, 3), earlier).conflict, RecordConflict::identity_changed) << "the earlier key no longer counts";
}

TEST_P(RegistryContract, the_unseen_rule_asks_for_the_newest_certificate) {
  const auto older = enroll(1);
  ASSERT_EQ(record(sample_issuance(1, 1, 2), expecting(sample_key(1))).conflict, RecordConflict::none);
  EXPECT_EQ(record(sample_issuance(1, 2, 3), unseen(sample_key(1), older)).conflict, RecordConflict::identity_changed);
  EXPECT_EQ(find(1)->current_key, sample_key(1));
}

TEST_P(RegistryContract, an_answered_or_presented_or_untracked_certificate_was_seen) {
  for (const auto [device, delivery] : {std::pair{1U, Delivery::untracked}, {2U, Delivery::answered}, {3U, Delivery::presented}}) {
    auto issuance = sample_issuance(device, device, device);
    issuance.delivery = delivery;
    const auto certificate = record(issuance, first()).certificate;
    const auto outcome = record(sample_issuance(device, device + 100, device + 100), unseen(sample_key(device), certificate));
    EXPECT_EQ(outcome.conflict, RecordConflict::identity_changed);
  }
}

TEST_P(RegistryContract, a_noted_delivery_counts_for_every_later_record) {
  const auto certificate = enroll(1);
  registry().note_delivery(certificate, Delivery::answered);
  EXPECT_EQ(record(sample_issuance(1, 2, 2), unseen(sample_key(1), certificate)).conflict, RecordConflict::identity_changed);
  EXPECT_EQ(find(1)->certificate->delivery, Delivery::answered);
}

TEST_P(RegistryContract, a_noted_delivery_is_written_without_another_call_and_never_lowers) {
  const auto certificate = enroll(1);
  registry().note_delivery(certificate, Delivery::presented);
  eventually([&] { return find(1)->certificate->delivery == Delivery::presented; });
  registry().note_delivery(certificate, Delivery::answered);
  registry().note_delivery(certificate + 1000, Delivery::answered);  // of nobody: without effect
  enroll(2);                                                         // its batch carries the notes
  EXPECT_EQ(find(1)->certificate->delivery, Delivery::presented);
}

// --- the deny list -------------------------------------------------------------------------------------------------------------------

TEST_P(RegistryContract, a_denied_identity_never_passes) {
  enroll(1);
  const auto denied = deny(1);
  ASSERT_TRUE(denied) << denied.error().describe();
  EXPECT_EQ(denied->status, DeviceStatus::denied);
  EXPECT_EQ(record(sample_issuance(1, 1, 2), expecting(sample_key(1))).conflict, RecordConflict::denied);
  EXPECT_EQ(record(sample_issuance(1, 2, 3), first()).conflict, RecordConflict::denied);
  auto stale = first();
  stale.trust_epoch = 0;
  EXPECT_EQ(record(sample_issuance(1, 2, 3), stale).conflict, RecordConflict::denied) << "denial is told before anything else";
  EXPECT_EQ(find(1)->status, DeviceStatus::denied);
  EXPECT_EQ(registry().totals()->denied, 1U);
}

TEST_P(RegistryContract, a_denied_device_still_shows_the_key_and_certificate_it_had) {
  enroll(1);
  const auto denied = deny(1);
  ASSERT_TRUE(denied);
  EXPECT_EQ(denied->current_key, sample_key(1));
  ASSERT_TRUE(find(1)->certificate);
  EXPECT_EQ(find(1)->certificate->serial, sample_serial(1));
}

TEST_P(RegistryContract, denying_an_unknown_identity_makes_it) {
  const auto denied = deny(1);
  ASSERT_TRUE(denied) << denied.error().describe();
  EXPECT_EQ(denied->identity, sample_identity(1));
  EXPECT_EQ(denied->status, DeviceStatus::denied);
  EXPECT_EQ(denied->created_at, kLater);
  EXPECT_EQ(denied->current_key, std::nullopt);
  EXPECT_FALSE(denied->certificate);
  EXPECT_EQ(record(sample_issuance(1, 1, 1), first()).conflict, RecordConflict::denied);
  EXPECT_EQ(registry().totals()->devices, 1U);
}

TEST_P(RegistryContract, denying_twice_is_audited_twice_and_counted_once) {
  enroll(1);
  ASSERT_TRUE(deny(1));
  const auto before = audit_count();
  ASSERT_TRUE(deny(1));
  EXPECT_EQ(audit_count(), before + 1);
  EXPECT_EQ(registry().totals()->denied, 1U);
}

TEST_P(RegistryContract, denial_and_release_raise_the_trust_epoch) {
  const auto start = epoch_;
  ASSERT_TRUE(deny(1));
  EXPECT_GT(epoch_, start);
  const auto after_denial = epoch_;
  ASSERT_TRUE(allow(1));
  EXPECT_GT(epoch_, after_denial);
}

TEST_P(RegistryContract, an_allowed_identity_is_forgotten_and_the_first_one_wins) {
  enroll(1);
  ASSERT_TRUE(deny(1));
  const auto released = allow(1);
  ASSERT_TRUE(released) << released.error().describe();
  EXPECT_EQ(released->status, DeviceStatus::released);
  EXPECT_EQ(released->current_key, std::nullopt);
  EXPECT_FALSE(released->certificate);
  EXPECT_EQ(registry().totals()->denied, 0U);

  ASSERT_EQ(record(sample_issuance(1, 5, 5), first()).conflict, RecordConflict::none);
  EXPECT_EQ(record(sample_issuance(1, 1, 6), first()).conflict, RecordConflict::identity_changed);
  const auto device = find(1);
  EXPECT_EQ(device->status, DeviceStatus::active);
  EXPECT_EQ(device->current_key, sample_key(5));
  EXPECT_EQ(device->created_at, sample_issuance(1, 1, 1).issued_at) << "the row is the same";
  EXPECT_EQ(registry().totals()->devices, 1U);
}

TEST_P(RegistryContract, the_old_key_too_may_come_back_after_release) {
  enroll(1);
  ASSERT_TRUE(deny(1));
  ASSERT_TRUE(allow(1));
  ASSERT_EQ(record(sample_issuance(1, 1, 2), first()).conflict, RecordConflict::none);
  EXPECT_EQ(find(1)->certificate->serial, sample_serial(2));
}

TEST_P(RegistryContract, an_identity_denied_before_its_first_contact_gets_its_device_id_at_enrollment) {
  ASSERT_TRUE(deny(1));
  ASSERT_TRUE(allow(1));
  ASSERT_EQ(record(sample_issuance(1, 1, 1), first()).conflict, RecordConflict::none);
  EXPECT_EQ(find(1)->device_id, sample_issuance(1, 1, 1).device_id);
}

TEST_P(RegistryContract, allowing_what_is_not_denied_is_refused) {
  const auto before = audit_count();
  auto unknown = allow(1);
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().code, ErrorCode::not_found);
  enroll(1);
  auto active = allow(1);
  ASSERT_FALSE(active);
  EXPECT_EQ(active.error().code, ErrorCode::conflict);
  EXPECT_EQ(audit_count(), before + 1) << "the enrollment alone";
}

// --- lists and totals ----------------------------------------------------------------------------------------------------------------

TEST_P(RegistryContract, pages_of_the_list_join_without_gap_or_repetition_in_order_of_creation) {
  for (std::uint64_t device = 0; device < 25; ++device) enroll(device);
  std::vector<std::string> ids;
  core::RowId after = 0;
  for (;;) {
    const auto page = registry().list({}, after, 10);
    ASSERT_TRUE(page) << page.error().describe();
    if (page->empty()) break;
    EXPECT_LE(page->size(), 10U);
    for (const auto& row : *page) {
      EXPECT_GT(row.row, after);
      after = row.row;
      ids.push_back(row.identity.external_id);
    }
  }
  ASSERT_EQ(ids.size(), 25U);
  for (std::uint64_t device = 0; device < 25; ++device) EXPECT_EQ(ids[device], sample_uuid(device));
}

TEST_P(RegistryContract, a_list_row_says_what_find_says) {
  enroll(1);
  ASSERT_EQ(record(sample_issuance(1, 1, 9), expecting(sample_key(1))).conflict, RecordConflict::none);
  ASSERT_TRUE(deny(2));
  const auto page = registry().list({}, 0, 10);
  ASSERT_TRUE(page && page->size() == 2);
  for (const auto& row : *page) {
    const auto device = *registry().find(row.identity);
    ASSERT_TRUE(device);
    EXPECT_EQ(row.row, device->row);
    EXPECT_EQ(row.status, device->status);
    EXPECT_EQ(row.name, device->name);
    EXPECT_EQ(row.hardware_id, device->hardware_id);
    EXPECT_EQ(row.production, device->production);
    EXPECT_EQ(row.station, device->station);
    EXPECT_EQ(row.created_at, device->created_at);
    EXPECT_EQ(row.current_key, device->current_key);
    EXPECT_EQ(row.serial.has_value(), device->certificate.has_value());
    if (row.serial) {
      EXPECT_EQ(*row.serial, device->certificate->serial);
      EXPECT_EQ(row.not_after, device->certificate->not_after);
    }
  }
}

TEST_P(RegistryContract, the_list_filters_by_status_and_ecosystem) {
  for (std::uint64_t device = 0; device < 6; ++device) enroll(device);
  auto eve = sample_issuance(100, 100, 100);
  eve.identity.ecosystem = core::Ecosystem::eve;
  ASSERT_EQ(record(eve, first()).conflict, RecordConflict::none);
  ASSERT_TRUE(deny(1));
  ASSERT_TRUE(deny(2));
  ASSERT_TRUE(allow(2));
  const auto count = [this](std::optional<DeviceStatus> status, std::optional<core::Ecosystem> ecosystem) {
    core::DeviceFilter filter;
    filter.status = status;
    filter.ecosystem = ecosystem;
    return registry().list(filter, 0, 100)->size();
  };
  EXPECT_EQ(count(DeviceStatus::active, std::nullopt), 5U);
  EXPECT_EQ(count(DeviceStatus::denied, std::nullopt), 1U);
  EXPECT_EQ(count(DeviceStatus::released, std::nullopt), 1U);
  EXPECT_EQ(count(std::nullopt, core::Ecosystem::eve), 1U);
  EXPECT_EQ(count(DeviceStatus::denied, core::Ecosystem::eve), 0U);
  EXPECT_EQ(count(DeviceStatus::active, core::Ecosystem::foundries), 4U);
}

TEST_P(RegistryContract, the_list_filters_by_a_prefix_of_the_external_id_of_any_length) {
  std::vector<std::string> ids;
  for (std::uint64_t device = 0; device < 40; ++device) ids.push_back(sample_uuid(device));
  for (const char* id : {"f", "fe", "fe1", "fe12-x", "Fe1", "fe\xc3\xa9", "12345678-1234-1234-1234-123456789abc-more"})
    ids.emplace_back(id);
  for (std::size_t i = 0; i < ids.size(); ++i) {
    auto issuance = sample_issuance(i, i, i);
    issuance.identity.external_id = ids[i];
    ASSERT_EQ(record(issuance, first()).conflict, RecordConflict::none);
  }
  std::vector<std::string> prefixes = {"f", "fe", "fe1", "fe12-", "F", "fe\xc3", "nobody", "12345678-1234-1234-1234-123456789abc-"};
  for (const std::size_t length : {1U, 2U, 3U, 8U, 9U, 10U, 14U, 35U, 36U}) prefixes.push_back(ids[7].substr(0, length));
  for (const auto& prefix : prefixes) {
    std::vector<std::string> expected;
    for (const auto& id : ids)
      if (id.starts_with(prefix)) expected.push_back(id);
    core::DeviceFilter filter;
    filter.id_prefix = prefix;
    const auto page = registry().list(filter, 0, 100);
    ASSERT_TRUE(page) << page.error().describe();
    std::vector<std::string> found;
    for (const auto& row : *page) found.push_back(row.identity.external_id);
    EXPECT_EQ(found, expected) << "prefix " << prefix;
  }
}

TEST_P(RegistryContract, totals_count_identities_of_any_status) {
  enroll(1);
  enroll(2);
  ASSERT_TRUE(deny(2));
  ASSERT_TRUE(deny(3));
  ASSERT_TRUE(allow(3));
  const auto totals = registry().totals();
  ASSERT_TRUE(totals);
  EXPECT_EQ(totals->devices, 3U);
  EXPECT_EQ(totals->denied, 1U);
  EXPECT_EQ(totals->certificates, 2U);
}

// --- trust ---------------------------------------------------------------------------------------------------------------------------

TEST_P(RegistryContract, authorities_are_kept_in_order_with_their_state) {
  auto known = registry().authorities();
  ASSERT_TRUE(known && known->size() == 2);
  EXPECT_EQ((*known)[0].row, 1);
  EXPECT_EQ((*known)[0].role, core::AuthorityRole::device_ca);
  EXPECT_EQ((*known)[0].state, core::AuthorityState::active);
  EXPECT_EQ((*known)[0].factory, "factory-a");
  EXPECT_EQ((*known)[0].der, (Bytes{0x30, 0x02}));
  core::AuthorityRecord disabled = (*known)[0];
  disabled.state = core::AuthorityState::disabled;
  disabled.changed_at = kLater;
  core::TrustChange change;
  change.upserts = {disabled};
  ASSERT_TRUE(run_task(registry().apply(change)));
  known = registry().authorities();
  ASSERT_EQ(known->size(), 2U);
  EXPECT_EQ((*known)[0].state, core::AuthorityState::disabled);
  EXPECT_EQ((*known)[0].changed_at, kLater);
  EXPECT_EQ((*known)[1].state, core::AuthorityState::active);
}

TEST_P(RegistryContract, a_trust_change_is_applied_together_or_not_at_all) {
  const auto audits = audit_count();
  auto change = sample_trust();
  core::AuthorityRecord nobody = change.upserts[0];
  nobody.row = 99;
  change.upserts.push_back(nobody);
  const auto refused = run_task(registry().apply(change));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::not_found);
  EXPECT_EQ(registry().authorities()->size(), 2U);
  EXPECT_EQ(*registry().trust_epoch(), epoch_);
  EXPECT_EQ(audit_count(), audits);
}

TEST_P(RegistryContract, a_trust_change_raises_the_epoch_and_is_audited) {
  const auto audits = audit_count();
  auto change = sample_trust();
  change.audit_bodies.push_back(core::audit_body(core::AuditEvent::trust_changed, kLater, {}));
  ASSERT_TRUE(run_task(registry().apply(change)));
  EXPECT_EQ(*registry().trust_epoch(), epoch_ + 1);
  EXPECT_EQ(audit_count(), audits + 2);
}

// --- audit ---------------------------------------------------------------------------------------------------------------------------

TEST_P(RegistryContract, every_change_appends_its_body_to_the_chain) {
  enroll(1);
  ASSERT_TRUE(deny(1));
  ASSERT_TRUE(allow(1));
  ASSERT_TRUE(run_task(registry().append_audit("{\"event\":\"checkpoint\"}")));
  const auto records = registry().audit_records(0, 100);
  ASSERT_TRUE(records && records->size() == 5);
  EXPECT_EQ((*records)[1].body, sample_issuance(1, 1, 1).audit_body);
  EXPECT_EQ((*records)[4].body, "{\"event\":\"checkpoint\"}");
  Sha256Digest previous;
  std::uint64_t sequence = 0;
  for (const auto& entry : *records) {
    EXPECT_EQ(entry.stream, 1U);
    EXPECT_EQ(entry.sequence, ++sequence);
    EXPECT_EQ(entry.hash, core::audit_link(kCodec, 1, sequence, previous, entry.body));
    previous = entry.hash;
  }
  const auto head = registry().audit_head();
  EXPECT_EQ(head->stream, 1U);
  EXPECT_EQ(head->count, 5U);
  EXPECT_EQ(head->hash, previous);
}

TEST_P(RegistryContract, audit_pages_continue_where_the_last_one_ended) {
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(run_task(registry().append_audit("{\"event\":\"checkpoint\"}")));
  std::uint64_t after = 0;
  std::size_t seen = 0;
  for (;;) {
    const auto page = registry().audit_records(after, 3);
    ASSERT_TRUE(page);
    if (page->empty()) break;
    EXPECT_LE(page->size(), 3U);
    for (const auto& entry : *page) EXPECT_EQ(entry.sequence, ++after);
    seen += page->size();
  }
  EXPECT_EQ(seen, 11U);
}

TEST_P(RegistryContract, the_bodies_come_back_byte_for_byte) {
  const std::string body = "{\"name\":\"\xc3\xa9\xe2\x82\xac\\u0000\\\"'; DROP TABLE audit; --\"}";
  ASSERT_TRUE(run_task(registry().append_audit(body)));
  EXPECT_EQ(registry().audit_records(1, 1)->front().body, body);
}

// --- clock ---------------------------------------------------------------------------------------------------------------------------

TEST_P(RegistryContract, the_clock_mark_is_the_latest_moment_recorded) {
  EXPECT_EQ(*registry().clock_mark(), std::nullopt);
  enroll(5);
  enroll(2);
  EXPECT_EQ(*registry().clock_mark(), sample_issuance(5, 5, 5).issued_at);
}

TEST_P(RegistryContract, a_noted_clock_raises_the_mark_and_never_lowers_it) {
  registry().note_clock(kLater);
  eventually([this] { return *registry().clock_mark() == kLater; });
  registry().note_clock(kLater - Duration(5000));
  enroll(1);  // its batch carries the note
  EXPECT_EQ(*registry().clock_mark(), kLater);
}

TEST_P(RegistryContract, an_operator_may_set_the_clock_mark_back_with_its_audit_record) {
  const Instant far = Instant(Duration(2208988800000));  // 2040
  registry().note_clock(far);
  eventually([&] { return *registry().clock_mark() == far; });
  const auto before = audit_count();
  ASSERT_TRUE(run_task(registry().accept_clock(kLater, core::audit_body(core::AuditEvent::clock_accepted, kLater, {}))));
  EXPECT_EQ(*registry().clock_mark(), kLater);
  EXPECT_EQ(audit_count(), before + 1);
}

INSTANTIATE_TEST_SUITE_P(Adapters, RegistryContract, every_adapter(), adapter_name);

}  // namespace
}  // namespace birthmark::testing
