// SPDX-License-Identifier: Apache-2.0
// The contract of core/ports/site_certificates.h, run against every adapter.
#include "base/run_task.h"
#include "registry_samples.h"
#include "registry_under_test.h"

namespace birthmark::testing {
namespace {

using core::HolderRole;

core::SiteCertificate sample(std::uint8_t number, const std::string& holder = "line-1", HolderRole role = HolderRole::station) {
  core::SiteCertificate certificate;
  certificate.factory = "factory-a";
  certificate.role = role;
  certificate.holder = holder;
  certificate.fingerprint.octets[0] = number;
  const Bytes magnitude{0x01, number};
  certificate.serial = *Serial::from_magnitude(magnitude);
  certificate.created_at = from_unix_ms(kSampleEpochMs + number);
  certificate.not_after = certificate.created_at + std::chrono::hours(24);
  return certificate;
}

class SiteCertificatesContract : public ::testing::TestWithParam<Adapter> {
 protected:
  SiteCertificatesContract() : under_test_(GetParam().make()) {}

  Result<core::SiteCertificate> add(const core::SiteCertificate& certificate) {
    return run_task(certificates().add_certificate(
        certificate, core::audit_body(core::AuditEvent::station_added, certificate.created_at, {{"name", certificate.holder}})));
  }
  std::uint64_t revoke(const std::string& holder, HolderRole role = HolderRole::station, std::optional<Serial> serial = {}) {
    auto revoked = run_task(certificates().revoke_certificates(
        {"factory-a", role, holder, serial}, kLater, core::audit_body(core::AuditEvent::station_revoked, kLater, {{"name", holder}})));
    EXPECT_TRUE(revoked);
    return revoked.value_or(99);
  }
  core::SiteCertificates& certificates() { return under_test_->site_certificates(); }
  std::uint64_t audit_count() { return under_test_->registry().audit_head()->count; }
  std::uint64_t epoch() { return *under_test_->registry().trust_epoch(); }

  static constexpr Instant kLater = Instant(Duration(kSampleEpochMs + 3600000));

 private:
  std::unique_ptr<RegistryUnderTest> under_test_;
};

TEST_P(SiteCertificatesContract, certificates_come_back_as_they_were_added_in_that_order) {
  ASSERT_TRUE(add(sample(1)));
  ASSERT_TRUE(add(sample(2, "anna", HolderRole::operator_)));
  const auto all = certificates().site_certificates();
  ASSERT_TRUE(all);
  ASSERT_EQ(all->size(), 2U);
  for (std::uint8_t number = 1; number <= 2; ++number) {
    const core::SiteCertificate& found = (*all)[number - 1U];
    const core::SiteCertificate expected = number == 1 ? sample(1) : sample(2, "anna", HolderRole::operator_);
    EXPECT_EQ(found.factory, expected.factory);
    EXPECT_EQ(found.role, expected.role);
    EXPECT_EQ(found.holder, expected.holder);
    EXPECT_EQ(found.fingerprint, expected.fingerprint);
    EXPECT_EQ(found.serial, expected.serial);
    EXPECT_EQ(found.created_at, expected.created_at);
    EXPECT_EQ(found.not_after, expected.not_after);
    EXPECT_FALSE(found.revoked_at);
  }
}

TEST_P(SiteCertificatesContract, each_change_is_audited_and_raises_the_trust_epoch) {
  const auto records = audit_count();
  const auto before = epoch();
  ASSERT_TRUE(add(sample(1)));
  EXPECT_EQ(audit_count(), records + 1);
  EXPECT_GT(epoch(), before);
  const auto between = epoch();
  EXPECT_EQ(revoke("line-1"), 1U);
  EXPECT_EQ(audit_count(), records + 2);
  EXPECT_GT(epoch(), between);
}

TEST_P(SiteCertificatesContract, the_same_certificate_twice_is_a_conflict_that_leaves_no_trace) {
  ASSERT_TRUE(add(sample(1)));
  const auto records = audit_count();
  const auto again = add(sample(1, "line-2"));
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, ErrorCode::conflict);
  EXPECT_EQ(audit_count(), records);
  EXPECT_EQ(certificates().site_certificates()->size(), 1U);
}

TEST_P(SiteCertificatesContract, revoking_takes_all_of_a_holder_or_the_one_that_is_named) {
  ASSERT_TRUE(add(sample(1)));
  ASSERT_TRUE(add(sample(2)));
  ASSERT_TRUE(add(sample(3)));
  ASSERT_TRUE(add(sample(4, "line-2")));
  ASSERT_TRUE(add(sample(5, "line-1", HolderRole::operator_)));
  EXPECT_EQ(revoke("line-1", HolderRole::station, sample(2).serial), 1U);
  EXPECT_EQ(revoke("line-1"), 2U);
  const auto all = certificates().site_certificates();
  ASSERT_TRUE(all);
  for (std::size_t at = 0; at < 3; ++at) EXPECT_EQ((*all)[at].revoked_at, kLater);
  EXPECT_FALSE((*all)[3].revoked_at) << "another station";
  EXPECT_FALSE((*all)[4].revoked_at) << "an operator of the same name";
}

TEST_P(SiteCertificatesContract, revoking_what_does_not_stand_leaves_no_trace) {
  ASSERT_TRUE(add(sample(1)));
  EXPECT_EQ(revoke("line-1"), 1U);
  const auto records = audit_count();
  const auto before = epoch();
  EXPECT_EQ(revoke("line-1"), 0U);
  EXPECT_EQ(revoke("nobody"), 0U);
  EXPECT_EQ(audit_count(), records);
  EXPECT_EQ(epoch(), before);
}

INSTANTIATE_TEST_SUITE_P(Adapters, SiteCertificatesContract, every_adapter(), adapter_name);

}  // namespace
}  // namespace birthmark::testing
