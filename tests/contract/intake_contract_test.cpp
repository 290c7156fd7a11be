// SPDX-License-Identifier: Apache-2.0
// The contract of core/ports/intake.h, run against every adapter.
#include <gtest/gtest.h>

#include "base/run_task.h"
#include "core/audit_verifier.h"
#include "registry_samples.h"
#include "registry_under_test.h"

namespace birthmark::testing {
namespace {

using core::ImportOutcome;

core::ImportedDevice sample_import(std::uint64_t device, std::uint64_t key) {
  core::ImportedDevice imported;
  imported.identity = sample_identity(device);
  imported.device_id = sample_octets<DeviceId>(device, 0x44);
  imported.key = sample_key(key);
  imported.source = "registration-ref";
  imported.at = from_unix_ms(kSampleEpochMs);
  imported.audit_body = core::audit_body(core::AuditEvent::device_imported, imported.at,
                                         {{"factory", imported.identity.factory},
                                          {"ecosystem", std::string(to_string(imported.identity.ecosystem))},
                                          {"id", imported.identity.external_id},
                                          {"device_id", to_hex(imported.device_id.view())},
                                          {"key", to_hex(imported.key.view())},
                                          {"source", imported.source},
                                          {"actor", "tester"}});
  return imported;
}

class IntakeContract : public ::testing::TestWithParam<Adapter> {
 protected:
  IntakeContract() : under_test_(GetParam().make()) { EXPECT_TRUE(run_task(registry().apply(sample_trust()))); }
  core::Registry& registry() { return under_test_->registry(); }
  Result<std::vector<ImportOutcome>> try_import(std::vector<core::ImportedDevice> devices) {
    return run_task(under_test_->intake().import_devices(std::move(devices)));
  }
  std::vector<ImportOutcome> import(std::vector<core::ImportedDevice> devices) {
    const auto outcomes = try_import(std::move(devices));
    EXPECT_TRUE(outcomes) << outcomes.error().describe();
    return outcomes.value_or(std::vector<ImportOutcome>{});
  }
  core::RecordConflict record(std::uint64_t device, std::uint64_t key, std::optional<SpkiHash> current) {
    core::Preconditions expected;
    expected.current_key = current;
    expected.trust_epoch = *registry().trust_epoch();
    const auto outcome = run_task(registry().record(sample_issuance(device, key, 100 + device), expected));
    EXPECT_TRUE(outcome);
    return outcome ? outcome->conflict : core::RecordConflict::none;
  }
  void expect_audit_agrees() {
    const auto verdict = core::verify_audit(registry(), kCodec, std::nullopt, std::nullopt);
    ASSERT_TRUE(verdict);
    EXPECT_TRUE(verdict->good()) << verdict->text;
  }

 private:
  std::unique_ptr<RegistryUnderTest> under_test_;
};

TEST_P(IntakeContract, AnImportedDeviceHasItsKeyAndNoCertificate) {
  EXPECT_EQ(import({sample_import(1, 1), sample_import(2, 2)}), (std::vector{ImportOutcome::imported, ImportOutcome::imported}));
  const auto device = registry().find(sample_identity(1));
  ASSERT_TRUE(device && *device);
  EXPECT_EQ((*device)->status, core::DeviceStatus::active);
  EXPECT_EQ((*device)->current_key, sample_key(1));
  EXPECT_FALSE((*device)->certificate);
  EXPECT_EQ((*device)->station, "registration-ref");
  EXPECT_EQ(registry().totals()->devices, 2U);
  EXPECT_EQ(registry().totals()->certificates, 0U);
  expect_audit_agrees();
}

TEST_P(IntakeContract, ItsFirstCertificateHereNeedsThatKey) {
  import({sample_import(1, 1)});
  EXPECT_EQ(record(1, 2, std::nullopt), core::RecordConflict::identity_changed);
  EXPECT_EQ(record(1, 1, sample_key(1)), core::RecordConflict::none);
  EXPECT_TRUE((*registry().find(sample_identity(1)))->certificate);
  expect_audit_agrees();
}

TEST_P(IntakeContract, WhatIsThereStays) {
  EXPECT_EQ(record(1, 1, std::nullopt), core::RecordConflict::none);
  const auto identity = sample_identity(2);
  const Instant at = from_unix_ms(kSampleEpochMs);
  ASSERT_TRUE(run_task(registry().deny(identity, at, sample_operator_body(core::AuditEvent::device_denied, identity, at))));
  const auto before = registry().audit_head()->count;
  EXPECT_EQ(import({sample_import(1, 1), sample_import(1, 9), sample_import(2, 2)}),
            (std::vector{ImportOutcome::known, ImportOutcome::another_key, ImportOutcome::denied}));
  EXPECT_EQ(registry().audit_head()->count, before);
  EXPECT_TRUE((*registry().find(sample_identity(1)))->certificate);
  expect_audit_agrees();
}

TEST_P(IntakeContract, OneThatCannotBeStopsAll) {
  core::ImportedDevice bad = sample_import(2, 2);
  bad.identity.external_id.clear();
  EXPECT_FALSE(try_import({sample_import(1, 1), bad}));
  EXPECT_EQ(registry().totals()->devices, 0U);
}

INSTANTIATE_TEST_SUITE_P(Adapters, IntakeContract, every_adapter(), adapter_name);

}  // namespace
}  // namespace birthmark::testing
