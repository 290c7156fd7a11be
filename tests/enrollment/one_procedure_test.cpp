// SPDX-License-Identifier: Apache-2.0
// The invariants of an enrollment (docs/concepts/one-procedure.md), on both registries.
#include <gtest/gtest.h>

#include <set>
#include <thread>

#include "base/text.h"
#include "test_factory.h"

namespace birthmark::testing {
namespace {

using core::RefusalKind;
using core::RefusalReason;

class OneProcedure : public ::testing::TestWithParam<Store> {
 protected:
  static core::RegistrationRules with_unseen_rule() {
    core::RegistrationRules rules;
    rules.retry_under_open_trust = true;
    return rules;
  }
};

TEST_P(OneProcedure, NothingLeavesUnrecorded) {
  TestFactory factory(GetParam());
  const TestDevice device;
  const auto enrolled = factory.expect_enrolled(device.enrollment());
  const auto recorded = factory.device();
  ASSERT_TRUE(recorded.certificate);
  EXPECT_EQ(recorded.certificate->der, enrolled.certificate_der);
  EXPECT_EQ(recorded.current_key, device.key.spki_sha256());
  EXPECT_EQ(recorded.name, std::string("device ") + kUuid);
  EXPECT_EQ(recorded.hardware_id, "intel-corei7-64");
}

TEST_P(OneProcedure, TheSameKeyGetsTheSameCertificateByteForByte) {
  TestFactory factory(GetParam());
  const TestDevice device;
  const auto first = factory.expect_enrolled(device.enrollment());
  const auto again = factory.expect_enrolled(device.enrollment());
  EXPECT_FALSE(first.replayed);
  EXPECT_TRUE(again.replayed);
  EXPECT_EQ(first.certificate_der, again.certificate_der);
}

TEST_P(OneProcedure, TheSameKeyGetsTheSameCertificateAfterARestart) {
  TestFactory factory(GetParam());
  const TestDevice device;
  const auto first = factory.expect_enrolled(device.enrollment());
  factory.restart();
  EXPECT_EQ(factory.expect_enrolled(device.enrollment()).certificate_der, first.certificate_der);
}

TEST_P(OneProcedure, AUuidInAnotherCaseIsTheSameDevice) {
  TestFactory factory(GetParam());
  TestDevice device;
  static_cast<void>(factory.expect_enrolled(device.enrollment()));
  TestDevice shouting("28D32F3A-4387-4ECF-91AE-872D54289179");
  EXPECT_EQ(factory.expect_refused(shouting.enrollment()).reason, RefusalReason::key_conflict);
}

TEST_P(OneProcedure, AnotherKeyIsRefused) {
  TestFactory factory(GetParam());
  static_cast<void>(factory.expect_enrolled(TestDevice().enrollment()));
  const auto refusal = factory.expect_refused(TestDevice().enrollment());
  EXPECT_EQ(refusal.reason, RefusalReason::key_conflict);
  EXPECT_EQ(refusal.kind, RefusalKind::conflict);
}

TEST_P(OneProcedure, TheSameKeyWithAnotherSubjectIsRefused) {
  TestFactory factory(GetParam());
  TestDevice device;
  static_cast<void>(factory.expect_enrolled(device.enrollment()));
  device.production = true;
  EXPECT_EQ(factory.expect_refused(device.enrollment()).reason, RefusalReason::identity_conflict);
}

TEST_P(OneProcedure, ARefusalLeavesNoIdentityBehind) {
  TestFactory factory(GetParam());
  EXPECT_EQ(factory.expect_refused(TestDevice(kUuid, "other").enrollment()).reason, RefusalReason::wrong_factory);
  EXPECT_EQ(factory.registry->totals()->devices, 0U);
}

TEST_P(OneProcedure, ADeniedIdentityIsRefusedBeforeItsReplay) {
  TestFactory factory(GetParam());
  const TestDevice device;
  static_cast<void>(factory.expect_enrolled(device.enrollment()));
  core::Lifecycle lifecycle(*factory.registry, factory.clock);
  ASSERT_TRUE(run_task(lifecycle.deny(factory.device().identity, {"stolen", "tester"})));
  const auto refusal = factory.expect_refused(device.enrollment());
  EXPECT_EQ(refusal.reason, RefusalReason::denied);
  EXPECT_EQ(refusal.kind, RefusalKind::forbidden);
}

TEST_P(OneProcedure, AfterAllowTheFirstKeyWins) {
  TestFactory factory(GetParam());
  static_cast<void>(factory.expect_enrolled(TestDevice().enrollment()));
  core::Lifecycle lifecycle(*factory.registry, factory.clock);
  const auto identity = factory.device().identity;
  ASSERT_TRUE(run_task(lifecycle.deny(identity, {"lost", "tester"})));
  ASSERT_TRUE(run_task(lifecycle.allow(identity, {"found", "tester"})));
  const TestDevice next;
  static_cast<void>(factory.expect_enrolled(next.enrollment()));
  EXPECT_EQ(factory.device().current_key, next.key.spki_sha256());
  EXPECT_EQ(factory.expect_refused(TestDevice().enrollment()).reason, RefusalReason::key_conflict);
}

TEST_P(OneProcedure, AnOperatorMayAllowOneOtherKey) {
  TestFactory factory(GetParam());
  static_cast<void>(factory.expect_enrolled(TestDevice().enrollment()));
  core::Lifecycle lifecycle(*factory.registry, factory.clock);
  const auto identity = factory.device().identity;
  ASSERT_TRUE(run_task(lifecycle.allow_rekey(identity, std::chrono::hours(1), {"board repaired", "tester"})));
  const TestDevice repaired;
  static_cast<void>(factory.expect_enrolled(repaired.enrollment()));
  EXPECT_EQ(factory.device().current_key, repaired.key.spki_sha256());
  EXPECT_EQ(factory.expect_refused(TestDevice().enrollment()).reason, RefusalReason::key_conflict) << "once";
}

TEST_P(OneProcedure, AnAllowedRekeyEnds) {
  TestFactory factory(GetParam());
  static_cast<void>(factory.expect_enrolled(TestDevice().enrollment()));
  core::Lifecycle lifecycle(*factory.registry, factory.clock);
  ASSERT_TRUE(run_task(lifecycle.allow_rekey(factory.device().identity, std::chrono::minutes(10), {"board repaired", "tester"})));
  factory.clock.pass(std::chrono::minutes(11));
  EXPECT_EQ(factory.expect_refused(TestDevice().enrollment()).reason, RefusalReason::key_conflict);
}

TEST_P(OneProcedure, UnseenRuleReplacesACertificateThatNeverArrived) {
  TestFactory factory(GetParam(), with_unseen_rule());
  const auto lost = factory.expect_enrolled(TestDevice().enrollment());
  EXPECT_TRUE(lost.track_delivery);
  const TestDevice retry;
  const auto second = factory.expect_enrolled(retry.enrollment());
  EXPECT_NE(lost.certificate_der, second.certificate_der);
  EXPECT_EQ(factory.device().current_key, retry.key.spki_sha256());
}

TEST_P(OneProcedure, UnseenRuleIsOffUnderOpenTrustByDefault) {
  TestFactory factory(GetParam());
  EXPECT_FALSE(factory.expect_enrolled(TestDevice().enrollment()).track_delivery);
  EXPECT_EQ(factory.expect_refused(TestDevice().enrollment()).reason, RefusalReason::key_conflict);
}

TEST_P(OneProcedure, UnseenRuleNeedsTheSameStation) {
  TestFactory factory(GetParam(), with_unseen_rule());
  static_cast<void>(factory.expect_enrolled(TestDevice().enrollment("10.0.0.1")));
  EXPECT_EQ(factory.expect_refused(TestDevice().enrollment("10.0.0.2")).reason, RefusalReason::key_conflict);
}

TEST_P(OneProcedure, UnseenRuleEndsWithTheWindow) {
  TestFactory factory(GetParam(), with_unseen_rule());
  static_cast<void>(factory.expect_enrolled(TestDevice().enrollment()));
  factory.clock.pass(std::chrono::hours(24) + std::chrono::seconds(1));
  EXPECT_EQ(factory.expect_refused(TestDevice().enrollment()).reason, RefusalReason::key_conflict);
}

TEST_P(OneProcedure, UnseenRuleEndsWhenTheAnswerWasAcknowledged) {
  TestFactory factory(GetParam(), with_unseen_rule());
  const auto first = factory.expect_enrolled(TestDevice().enrollment());
  factory.registry->note_delivery(first.certificate, core::Delivery::answered);
  // A note is written with the next batch: any other device's registration carries it.
  static_cast<void>(factory.expect_enrolled(TestDevice("11111111-2222-4333-8444-555555555555").enrollment()));
  EXPECT_EQ(factory.expect_refused(TestDevice().enrollment()).reason, RefusalReason::key_conflict);
}

TEST_P(OneProcedure, ParallelRequestsOfOneDeviceGiveOneDeviceAndIdenticalAnswers) {
  TestFactory factory(GetParam());
  const TestDevice device;
  const auto enrollment = device.enrollment();
  std::mutex mutex;
  std::set<Bytes> answers;
  std::vector<std::thread> threads;
  for (int i = 0; i < 16; ++i) {
    threads.emplace_back([&] {
      const auto enrolled = factory.expect_enrolled(enrollment);
      const std::lock_guard lock(mutex);
      answers.insert(enrolled.certificate_der);
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(answers.size(), 1U);
  EXPECT_EQ(factory.registry->totals()->devices, 1U);
  EXPECT_EQ(factory.registry->totals()->certificates, 1U);
}

TEST_P(OneProcedure, ParallelRequestsWithDifferentKeysGiveOneCertificate) {
  TestFactory factory(GetParam());
  std::atomic<int> issued{0}, refused{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 16; ++i) {
    threads.emplace_back([&] {
      const TestDevice device;
      const auto outcome = factory.enroll(device.enrollment());
      const auto* refusal = std::get_if<core::Refusal>(&outcome);
      if (refusal == nullptr) ++issued;
      if (refusal != nullptr && refusal->reason == RefusalReason::key_conflict) ++refused;
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(issued, 1);
  EXPECT_EQ(refused, 15);
}

TEST_P(OneProcedure, ADisabledIssuerRefusesAndASuccessorTakesOver) {
  TestFactory factory(GetParam());
  factory.set_authority_state(0, core::AuthorityState::disabled);
  const auto refusal = factory.expect_refused(TestDevice().enrollment());
  EXPECT_EQ(refusal.reason, RefusalReason::no_usable_issuer);
  EXPECT_EQ(refusal.kind, RefusalKind::unavailable);
  EXPECT_NE(refusal.public_text.find("disabled"), std::string::npos) << refusal.public_text;
  factory.add_successor();
  const auto enrolled = factory.expect_enrolled(TestDevice().enrollment());
  EXPECT_EQ(factory.trust->current()->by_row(enrolled.issuer)->facts.values(core::NameAttributeType::common_name).front(), "fio-next");
}

TEST_P(OneProcedure, ARevokedIssuersCertificateIsNotReplayedButReplaced) {
  TestFactory factory(GetParam());
  const TestDevice device;
  const auto first = factory.expect_enrolled(device.enrollment());
  factory.set_authority_state(0, core::AuthorityState::revoked);
  factory.add_successor();
  const auto second = factory.expect_enrolled(device.enrollment());
  EXPECT_FALSE(second.replayed);
  EXPECT_NE(first.certificate_der, second.certificate_der);
  EXPECT_EQ(factory.device().current_key, device.key.spki_sha256());
}

TEST_P(OneProcedure, EveryStepIsInTheAuditAndTheChainHolds) {
  TestFactory factory(GetParam());
  static_cast<void>(factory.expect_enrolled(TestDevice().enrollment()));
  static_cast<void>(factory.expect_refused(TestDevice().enrollment()));
  const auto records = factory.registry->audit_records(0, 100);
  ASSERT_TRUE(records);
  ASSERT_EQ(records->size(), 4U);  // two trust changes, one issuance, one refusal
  EXPECT_NE((*records)[2].body.find(R"("event":"device_issued")"), std::string::npos);
  EXPECT_NE((*records)[3].body.find(R"("reason":"key_conflict")"), std::string::npos);
  Sha256Digest previous;
  for (const auto& record : *records) {
    EXPECT_EQ(core::audit_link(*factory.codec, record.stream, record.sequence, previous, record.body), record.hash);
    previous = record.hash;
  }
}

TEST_P(OneProcedure, RepeatedRefusalsAreCountedNotChained) {
  TestFactory factory(GetParam());
  static_cast<void>(factory.expect_enrolled(TestDevice().enrollment()));
  const auto before = factory.registry->audit_head()->count;
  for (int i = 0; i < 5; ++i) static_cast<void>(factory.expect_refused(TestDevice().enrollment()));
  EXPECT_EQ(factory.registry->audit_head()->count, before + 1);
  factory.clock.pass(std::chrono::minutes(2));
  static_cast<void>(factory.expect_refused(TestDevice().enrollment()));
  const auto last = factory.registry->audit_records(before + 1, 1);
  ASSERT_TRUE(last && last->size() == 1);
  EXPECT_NE(last->front().body.find(R"("repeats":"4")"), std::string::npos) << last->front().body;
}

INSTANTIATE_TEST_SUITE_P(Registries, OneProcedure, ::testing::Values(Store::memory, Store::sqlite),
                         [](const auto& parameter) { return parameter.param == Store::memory ? "Memory" : "Sqlite"; });

}  // namespace
}  // namespace birthmark::testing
