// SPDX-License-Identifier: Apache-2.0
// The part of core/ports/registry.h that operators use, run against every adapter: changes to a device, deletion, filters.
#include "base/run_task.h"
#include "core/ports/comebacks.h"
#include "registry_samples.h"
#include "registry_under_test.h"

namespace birthmark::testing {
namespace {

using core::AuditEvent;
using core::DeviceChange;
using core::DeviceStatus;
using core::RecordConflict;

class DeviceLifeContract : public ::testing::TestWithParam<Adapter> {
 protected:
  DeviceLifeContract() : under_test_(GetParam().make()) { EXPECT_TRUE(run_task(registry().apply(sample_trust()))); }

  core::Registry& registry() { return under_test_->registry(); }

  core::Preconditions expecting(std::optional<SpkiHash> key, bool rekey_allowed = false) {
    core::Preconditions expected;
    expected.current_key = key;
    expected.rekey_allowed = rekey_allowed;
    expected.trust_epoch = *registry().trust_epoch();
    return expected;
  }
  RecordConflict record(core::IssuanceRecord issuance, const core::Preconditions& expected) {
    auto outcome = run_task(registry().record(std::move(issuance), expected));
    EXPECT_TRUE(outcome) << outcome.error().describe();
    return outcome ? outcome->conflict : RecordConflict::serial_taken;
  }
  RecordConflict released(core::IssuanceRecord issuance, const core::Preconditions& expected) {
    auto& comebacks = dynamic_cast<core::Comebacks&>(registry());
    std::string body = sample_operator_body(AuditEvent::device_allowed, issuance.identity, kLater);
    auto outcome = run_task(comebacks.record_released(std::move(issuance), expected, std::move(body)));
    EXPECT_TRUE(outcome) << outcome.error().describe();
    return outcome ? outcome->conflict : RecordConflict::serial_taken;
  }
  void enroll(std::uint64_t device) {
    EXPECT_EQ(record(sample_issuance(device, device, device), expecting(std::nullopt)), RecordConflict::none);
  }
  core::DeviceRecord device(std::uint64_t number) {
    auto found = registry().find(sample_identity(number));
    EXPECT_TRUE(found && *found);
    return found && *found ? **found : core::DeviceRecord{};
  }
  Result<core::DeviceRecord> change(std::uint64_t number, DeviceChange wanted) {
    const auto identity = sample_identity(number);
    auto body = sample_operator_body(AuditEvent::device_changed, identity, kLater);
    return run_task(registry().change(identity, std::move(wanted), kLater, std::move(body)));
  }
  Result<core::DeviceRecord> remove(std::uint64_t number) {
    const auto identity = sample_identity(number);
    return run_task(registry().remove(identity, kLater, sample_operator_body(AuditEvent::device_deleted, identity, kLater)));
  }
  static DeviceChange rekey_until(Instant until) {
    DeviceChange wanted;
    wanted.rekey_until = until;
    return wanted;
  }
  static DeviceChange forget() {
    DeviceChange wanted;
    wanted.forget_key = true;
    return wanted;
  }
  std::size_t count(const core::DeviceFilter& filter) { return registry().list(filter, 0, 100)->size(); }

  static constexpr Instant kLater = Instant(Duration(kSampleEpochMs + 3'600'000));

 private:
  std::unique_ptr<RegistryUnderTest> under_test_;
};

INSTANTIATE_TEST_SUITE_P(Adapters, DeviceLifeContract, every_adapter(), adapter_name);

TEST_P(DeviceLifeContract, name_and_group_change_and_nothing_else_does) {
  enroll(1);
  const auto before = device(1);
  const auto epoch = *registry().trust_epoch();
  DeviceChange wanted;
  wanted.name = "gateway in the hall";
  wanted.group = "beta";
  const auto changed = change(1, wanted);
  ASSERT_TRUE(changed) << changed.error().describe();
  EXPECT_EQ(device(1).name, "gateway in the hall");
  EXPECT_EQ(device(1).group, "beta");
  EXPECT_EQ(device(1).current_key, before.current_key);
  EXPECT_EQ(device(1).hardware_id, before.hardware_id);
  EXPECT_GT(*registry().trust_epoch(), epoch) << "the gateway remembers a device's group";
  wanted = {};
  wanted.group = "";
  ASSERT_TRUE(change(1, wanted));
  EXPECT_EQ(device(1).group, "");
  EXPECT_EQ(device(1).name, "gateway in the hall");
}

TEST_P(DeviceLifeContract, a_change_of_an_unknown_device_is_refused_and_not_audited) {
  const auto count = registry().audit_head()->count;
  EXPECT_EQ(change(7, rekey_until(kLater)).error().code, ErrorCode::not_found);
  EXPECT_EQ(remove(7).error().code, ErrorCode::not_found);
  EXPECT_EQ(registry().audit_head()->count, count);
  EXPECT_EQ(registry().totals()->devices, 0U);
}

TEST_P(DeviceLifeContract, another_key_passes_only_while_a_rekey_is_allowed) {
  enroll(1);
  auto next = sample_issuance(1, 2, 2);
  EXPECT_EQ(record(next, expecting(sample_key(1), true)), RecordConflict::identity_changed);
  ASSERT_TRUE(change(1, rekey_until(next.issued_at - Duration(1))));
  EXPECT_EQ(record(next, expecting(sample_key(1), true)), RecordConflict::identity_changed) << "it is over";
  ASSERT_TRUE(change(1, rekey_until(next.issued_at)));
  EXPECT_EQ(record(next, expecting(sample_key(1), true)), RecordConflict::none);
  EXPECT_EQ(device(1).current_key, sample_key(2));
  EXPECT_EQ(device(1).rekey_until, std::nullopt) << "once";
  EXPECT_EQ(record(sample_issuance(1, 3, 3), expecting(sample_key(2), true)), RecordConflict::identity_changed);
}

TEST_P(DeviceLifeContract, a_forgotten_key_frees_the_identity_and_its_group) {
  enroll(1);
  DeviceChange grouped;
  grouped.group = "beta";
  ASSERT_TRUE(change(1, grouped));
  const auto epoch = *registry().trust_epoch();
  ASSERT_TRUE(change(1, forget()));
  EXPECT_GT(*registry().trust_epoch(), epoch);
  EXPECT_EQ(device(1).status, DeviceStatus::released);
  EXPECT_EQ(device(1).current_key, std::nullopt);
  EXPECT_EQ(change(1, forget()).error().code, ErrorCode::conflict) << "there is none left";
  EXPECT_EQ(record(sample_issuance(1, 5, 5), expecting(std::nullopt)), RecordConflict::none);
  EXPECT_EQ(device(1).group, "") << "made anew";
}

TEST_P(DeviceLifeContract, a_deleted_device_is_denied_and_shown_as_deleted_until_it_is_allowed) {
  enroll(1);
  ASSERT_TRUE(remove(1));
  EXPECT_EQ(device(1).status, DeviceStatus::denied);
  EXPECT_TRUE(device(1).deleted);
  EXPECT_EQ(registry().totals()->denied, 1U);
  EXPECT_EQ(record(sample_issuance(1, 1, 2), expecting(sample_key(1))), RecordConflict::denied);
  EXPECT_EQ(change(1, forget()).error().code, ErrorCode::conflict);
  ASSERT_TRUE(remove(1)) << "twice is no error";
  EXPECT_EQ(registry().totals()->denied, 1U);
  core::DeviceFilter denied;
  denied.status = DeviceStatus::denied;
  ASSERT_EQ(count(denied), 1U);
  EXPECT_TRUE(registry().list(denied, 0, 1)->front().deleted);
  const auto identity = sample_identity(1);
  ASSERT_TRUE(run_task(registry().allow(identity, kLater, sample_operator_body(AuditEvent::device_allowed, identity, kLater))));
  EXPECT_FALSE(device(1).deleted);
}

TEST_P(DeviceLifeContract, a_known_device_keeps_its_group_when_its_certificate_is_replaced) {
  auto first = sample_issuance(1, 1, 1);
  first.group = "from the order";
  ASSERT_EQ(record(first, expecting(std::nullopt)), RecordConflict::none);
  EXPECT_EQ(device(1).group, "from the order");
  auto second = sample_issuance(1, 1, 2);
  second.group = "another";
  ASSERT_EQ(record(second, expecting(sample_key(1))), RecordConflict::none);
  EXPECT_EQ(device(1).group, "from the order");
}

TEST_P(DeviceLifeContract, a_door_that_may_lifts_a_denial_and_records_the_device_in_one_transaction) {
  enroll(1);
  ASSERT_TRUE(remove(1));
  const auto denied = registry().totals()->denied;
  const auto epoch = *registry().trust_epoch();
  EXPECT_EQ(record(sample_issuance(1, 7, 7), expecting(std::nullopt)), RecordConflict::denied) << "other doors do not";
  auto expected = expecting(std::nullopt);
  const auto before = registry().audit_head()->count;
  ASSERT_EQ(released(sample_issuance(1, 7, 7), expected), RecordConflict::none);
  EXPECT_EQ(device(1).status, DeviceStatus::active);
  EXPECT_EQ(device(1).current_key, sample_key(7));
  EXPECT_FALSE(device(1).deleted);
  EXPECT_EQ(registry().totals()->denied, denied - 1);
  EXPECT_EQ(registry().audit_head()->count, before + 2) << "the release and the issuance";
  EXPECT_GT(*registry().trust_epoch(), epoch);
}

TEST_P(DeviceLifeContract, what_refuses_the_record_leaves_the_denial) {
  enroll(1);
  enroll(2);
  ASSERT_TRUE(remove(1));
  auto expected = expecting(std::nullopt);
  const auto before = registry().audit_head()->count;
  EXPECT_EQ(released(sample_issuance(1, 7, 2), expected), RecordConflict::serial_taken);
  expected.trust_epoch -= 1;
  EXPECT_EQ(released(sample_issuance(1, 7, 7), expected), RecordConflict::trust_changed);
  EXPECT_EQ(device(1).status, DeviceStatus::denied);
  EXPECT_EQ(registry().audit_head()->count, before);
}

TEST_P(DeviceLifeContract, lifting_changes_nothing_for_a_device_that_is_not_denied) {
  enroll(1);
  auto expected = expecting(sample_key(1));
  const auto before = registry().audit_head()->count;
  EXPECT_EQ(released(sample_issuance(1, 1, 9), expected), RecordConflict::none);
  EXPECT_EQ(registry().audit_head()->count, before + 1);
  expected = expecting(std::nullopt);
  EXPECT_EQ(released(sample_issuance(1, 5, 10), expected), RecordConflict::identity_changed);
}

TEST_P(DeviceLifeContract, every_filter_leaves_what_it_names) {
  for (std::uint64_t number = 1; number <= 6; ++number) {
    auto issuance = sample_issuance(number, number, number);
    issuance.production = number % 2 == 0;
    issuance.hardware_id = number <= 2 ? "imx8" : "rpi4";
    issuance.station = number <= 3 ? "Bench-1" : "bench-2";
    issuance.group = number == 6 ? "beta" : "";
    ASSERT_EQ(record(issuance, expecting(std::nullopt)), RecordConflict::none);
  }
  const auto with = [this](auto set) {
    core::DeviceFilter filter;
    set(filter);
    return count(filter);
  };
  EXPECT_EQ(with([](auto& f) { f.production = true; }), 3U);
  EXPECT_EQ(with([](auto& f) { f.hardware_id = "imx8"; }), 2U);
  EXPECT_EQ(with([](auto& f) { f.station = "bench-2"; }), 3U);
  EXPECT_EQ(with([](auto& f) { f.group = "beta"; }), 1U);
  EXPECT_EQ(with([](auto& f) { f.group = ""; }), 5U);
  EXPECT_EQ(with([](auto& f) { f.key = sample_key(4); }), 1U);
  EXPECT_EQ(with([](auto& f) { f.serial = sample_serial(5); }), 1U);
  EXPECT_EQ(with([](auto& f) { f.text = "BENCH-1"; }), 3U) << "letters in any case";
  EXPECT_EQ(with([](auto& f) { f.text = "no such text"; }), 0U);
  const Instant third = sample_issuance(3, 3, 3).issued_at;
  const std::size_t before = with([&](auto& f) { f.created_before = third; });
  const std::size_t from = with([&](auto& f) { f.created_from = third; });
  EXPECT_EQ(before + from, 6U);
  const Instant end = sample_issuance(1, 1, 1).not_after;
  EXPECT_EQ(with([&](auto& f) { f.expires_before = end + std::chrono::hours(24 * 365); }), 6U);
  EXPECT_EQ(with([&](auto& f) { f.expires_before = end - std::chrono::hours(24 * 365); }), 0U);
}

}  // namespace
}  // namespace birthmark::testing
