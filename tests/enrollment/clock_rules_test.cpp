// SPDX-License-Identifier: Apache-2.0
// The clock is suspect (docs/operating/clock.md): what a step back, a jump forward and an operator's word do to issuance.
#include <gtest/gtest.h>

#include "test_factory.h"

namespace birthmark::testing {
namespace {

using core::RefusalReason;
using namespace std::chrono_literals;

const char* const kOther = "11111111-2222-4333-8444-555555555555";

TEST(ClockRules, OneSecondBackIsClampedToTheLatestTime) {
  TestFactory factory;
  const auto first = factory.facts(factory.expect_enrolled(TestDevice().enrollment()));
  factory.clock.jump(-1s);
  const auto second = factory.facts(factory.expect_enrolled(TestDevice(kOther).enrollment()));
  EXPECT_EQ(first.not_before, second.not_before);
}

TEST(ClockRules, OneHourBackStopsIssuanceUntilTheClockReturns) {
  TestFactory factory;
  static_cast<void>(factory.expect_enrolled(TestDevice().enrollment()));
  factory.clock.jump(-1h);
  const auto refusal = factory.expect_refused(TestDevice(kOther).enrollment());
  EXPECT_EQ(refusal.reason, RefusalReason::clock_suspect);
  EXPECT_EQ(refusal.kind, core::RefusalKind::unavailable);
  factory.clock.jump(1h);
  static_cast<void>(factory.expect_enrolled(TestDevice(kOther).enrollment()));
}

TEST(ClockRules, OneHourBackStopsIssuanceUntilItIsAccepted) {
  TestFactory factory(Store::sqlite);
  static_cast<void>(factory.expect_enrolled(TestDevice().enrollment()));
  factory.clock.jump(-1h);
  ASSERT_EQ(factory.expect_refused(TestDevice(kOther).enrollment()).reason, RefusalReason::clock_suspect);
  const Instant now = factory.clock.now();
  ASSERT_TRUE(run_task(factory.registry->accept_clock(now, core::audit_body(core::AuditEvent::clock_accepted, now, {{"reason", "NTP"}}))));
  factory.clock_guard->accept(now);
  static_cast<void>(factory.expect_enrolled(TestDevice(kOther).enrollment()));
  factory.restart();
  EXPECT_FALSE(factory.clock_guard->suspicion());
}

TEST(ClockRules, SetTo2040StopsIssuanceAndLeavesNoTrace) {
  TestFactory factory(Store::sqlite);
  static_cast<void>(factory.expect_enrolled(TestDevice().enrollment()));
  factory.clock.jump(std::chrono::hours(24) * 365 * 14);
  EXPECT_EQ(factory.expect_refused(TestDevice(kOther).enrollment()).reason, RefusalReason::clock_suspect);
  factory.clock.jump(-std::chrono::hours(24) * 365 * 14);
  static_cast<void>(factory.expect_enrolled(TestDevice(kOther).enrollment()));
}

TEST(ClockRules, SetTo2040WhileTheServerWasOffStopsIssuance) {
  TestFactory factory(Store::sqlite);
  static_cast<void>(factory.expect_enrolled(TestDevice().enrollment()));
  factory.clock.jump(std::chrono::hours(24) * 365 * 14);
  factory.restart();
  EXPECT_EQ(factory.expect_refused(TestDevice(kOther).enrollment()).reason, RefusalReason::clock_suspect);
}

TEST(ClockRules, ALongWeekendOffIsNoJump) {
  TestFactory factory(Store::sqlite);
  static_cast<void>(factory.expect_enrolled(TestDevice().enrollment()));
  factory.clock.jump(96h);
  factory.restart();
  static_cast<void>(factory.expect_enrolled(TestDevice(kOther).enrollment()));
}

TEST(ClockRules, TimeThatReallyPassesIsNoJump) {
  TestFactory factory;
  static_cast<void>(factory.expect_enrolled(TestDevice().enrollment()));
  factory.clock.pass(24h * 30);
  static_cast<void>(factory.expect_enrolled(TestDevice(kOther).enrollment()));
}

TEST(ClockRules, BeforeTheIssuersBeginningNothingIsIssued) {
  core::ClockRules lenient;
  lenient.tolerance = 24h * 365;
  TestFactory factory(Store::memory, {}, lenient);
  factory.clock.jump(-72h);
  EXPECT_EQ(factory.expect_refused(TestDevice().enrollment()).reason, RefusalReason::no_usable_issuer);
}

}  // namespace
}  // namespace birthmark::testing
