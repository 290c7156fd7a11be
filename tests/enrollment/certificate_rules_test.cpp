// SPDX-License-Identifier: Apache-2.0
// What stands in an issued certificate, and which requests get none. Conformance with protocol facts, Foundries 4.2, 4.4, 4.9 and 5.3.
#include <gtest/gtest.h>

#include "base/text.h"
#include "test_factory.h"

namespace birthmark::testing {
namespace {

using core::NameAttributeType;
using core::ProductionRule;
using core::RefusalReason;

core::RegistrationRules with_production(ProductionRule rule) {
  core::RegistrationRules rules;
  rules.production = rule;
  return rules;
}

TEST(CertificateRules, ProfileOfADevice) {
  TestFactory factory;
  const TestDevice device;
  const auto facts = factory.facts(factory.expect_enrolled(device.enrollment()));
  EXPECT_EQ(facts.key_usage, std::uint16_t{1});
  EXPECT_TRUE(facts.client_auth);
  EXPECT_FALSE(facts.server_auth);
  EXPECT_FALSE(facts.is_ca);
  EXPECT_FALSE(facts.subject_key_id.empty());
  EXPECT_EQ(facts.authority_key_id, factory.trust->current()->device_authorities.front().facts.subject_key_id);
  EXPECT_EQ(facts.values(NameAttributeType::common_name).front(), kUuid);
  EXPECT_EQ(facts.values(NameAttributeType::organizational_unit).front(), "acme");
}

TEST(CertificateRules, SerialIsPositiveLongAndAtMost20Octets) {
  TestFactory factory;
  const auto facts = factory.facts(factory.expect_enrolled(TestDevice().enrollment()));
  EXPECT_GE(facts.serial.size(), 15U);
  EXPECT_LE(facts.serial.size(), Serial::kMaxOctets);
  EXPECT_LT(facts.serial.front(), 0x80);
}

TEST(CertificateRules, NotBeforeIsBackdatedAndNotAfterStaysInsideTheIssuers) {
  TestFactory factory;
  const auto facts = factory.facts(factory.expect_enrolled(TestDevice().enrollment()));
  EXPECT_EQ(facts.not_before, factory.clock.now() - std::chrono::hours(1));
  EXPECT_EQ(facts.not_after, factory.trust->current()->device_authorities.front().facts.not_after);
}

TEST(CertificateRules, ProductionDevice_TheDeviceDecides) {
  TestFactory factory(Store::memory, with_production(ProductionRule::device));
  EXPECT_TRUE(factory.expect_enrolled(TestDevice(kUuid, "acme", true).enrollment()).production);
  EXPECT_EQ(factory.device().production, true);
}

TEST(CertificateRules, ProductionAlways_AddsTheCategory) {
  TestFactory factory(Store::memory, with_production(ProductionRule::always));
  const auto enrolled = factory.expect_enrolled(TestDevice().enrollment());
  EXPECT_TRUE(enrolled.production);
  EXPECT_EQ(factory.facts(enrolled).values(NameAttributeType::business_category).front(), "production");
}

TEST(CertificateRules, ProductionNever_TakesTheCategoryOut) {
  TestFactory factory(Store::memory, with_production(ProductionRule::never));
  const auto enrolled = factory.expect_enrolled(TestDevice(kUuid, "acme", true).enrollment());
  EXPECT_FALSE(enrolled.production);
  EXPECT_TRUE(factory.facts(enrolled).values(NameAttributeType::business_category).empty());
}

TEST(CertificateRules, ProductionAlways_SameKeyIsStillReplayed) {
  TestFactory factory(Store::memory, with_production(ProductionRule::always));
  const TestDevice device;
  const auto first = factory.expect_enrolled(device.enrollment());
  EXPECT_EQ(first.certificate_der, factory.expect_enrolled(device.enrollment()).certificate_der);
}

TEST(CertificateRules, WrongFactoryHasTheReferencesPhrase) {
  TestFactory factory;
  const auto refusal = factory.expect_refused(TestDevice(kUuid, "blah").enrollment());
  EXPECT_EQ(refusal.public_text, "Invalid factory(blah) must be acme");
}

TEST(CertificateRules, NoPemHasTheReferencesPhrase) {
  TestFactory factory;
  core::Enrollment enrollment = TestDevice().enrollment();
  enrollment.csr_pem = "not a csr";
  const auto refusal = factory.expect_refused(enrollment);
  EXPECT_EQ(refusal.reason, RefusalReason::malformed_request);
  EXPECT_EQ(refusal.public_text.rfind("Unable to load PEM file.", 0), 0U) << refusal.public_text;
}

TEST(CertificateRules, ProofOfPossessionIsChecked) {
  TestFactory factory;
  const TestDevice device;
  core::Enrollment enrollment = device.enrollment();
  // Another device's signature over this device's request: the last line of base64 holds part of it.
  const std::string other = TestDevice().csr();
  const std::size_t tail = enrollment.csr_pem.rfind("\n-----END");
  enrollment.csr_pem.replace(tail - 20, 20, other.substr(other.rfind("\n-----END") - 20, 20));
  EXPECT_EQ(factory.expect_refused(enrollment).reason, RefusalReason::malformed_request);
}

TEST(CertificateRules, UuidMemberMustBeTheCommonName) {
  TestFactory factory;
  core::Enrollment enrollment = TestDevice().enrollment();
  enrollment.claims.device_id = "11111111-2222-4333-8444-555555555555";
  EXPECT_EQ(factory.expect_refused(enrollment).reason, RefusalReason::bad_device_id);
}

TEST(CertificateRules, UuidMemberMayBeWrittenInAnotherCase) {
  TestFactory factory;
  core::Enrollment enrollment = TestDevice().enrollment();
  enrollment.claims.device_id = "28D32F3A-4387-4ECF-91AE-872D54289179";
  static_cast<void>(factory.expect_enrolled(enrollment));
}

TEST(CertificateRules, DeviceIdRuleUuidRefusesOtherNames) {
  TestFactory factory;
  for (const char* id : {"ab", "12-34-56", "..", "28d32f3a43874ecf91ae872d54289179", " 28d32f3a-4387-4ecf-91ae-872d54289179"}) {
    EXPECT_EQ(factory.expect_refused(TestDevice(id).enrollment()).reason, RefusalReason::bad_device_id) << id;
  }
}

TEST(CertificateRules, DeviceIdRuleSafeAdmitsNamesButNoPaths) {
  core::RegistrationRules rules;
  rules.device_id = core::DeviceIdRule::safe;
  TestFactory factory(Store::memory, rules);
  static_cast<void>(factory.expect_enrolled(TestDevice("sn-0001.A").enrollment()));
  for (const char* id : {"..", "../x", "a/b", "-x", "a b", ".hidden"}) {
    EXPECT_EQ(factory.expect_refused(TestDevice(id).enrollment()).reason, RefusalReason::bad_device_id) << id;
  }
}

TEST(CertificateRules, ADeviceNeverGetsACertificateForACasKey) {
  TestFactory factory;
  TestDevice device;
  auto key = crypto::PrivateKey::load(factory.directory.path() / "pki" / "local-ca.key");
  ASSERT_TRUE(key);
  device.key = std::move(*key);
  const auto refusal = factory.expect_refused(device.enrollment());
  EXPECT_EQ(refusal.kind, core::RefusalKind::bad_request);
}

}  // namespace
}  // namespace birthmark::testing
