// SPDX-License-Identifier: Apache-2.0
// The contract of core/ports/outbox.h, run against every adapter.
#include <gtest/gtest.h>

#include "base/run_task.h"
#include "registry_samples.h"
#include "registry_under_test.h"

namespace birthmark::testing {
namespace {

using core::OutboxChannel;
using core::OutboxState;
using core::RecordConflict;

constexpr auto kUpstream = OutboxChannel::upstream;

Instant moment(std::int64_t ms) {
  return from_unix_ms(kSampleEpochMs + ms);
}

class OutboxContract : public ::testing::TestWithParam<Adapter> {
 protected:
  OutboxContract() : under_test_(GetParam().make()) { EXPECT_TRUE(run_task(under_test_->registry().apply(sample_trust()))); }

  core::Registry& registry() { return under_test_->registry(); }
  core::Outbox& outbox() { return under_test_->outbox(); }

  // Device `device` with key `key` and certificate number `certificate`, and a message that says so.
  core::RecordOutcome record(std::uint64_t device, std::uint64_t key, std::uint64_t certificate, core::Preconditions expected = {}) {
    core::IssuanceRecord issuance = sample_issuance(device, key, certificate);
    issuance.outbox = {{kUpstream, "body " + std::to_string(certificate)}};
    expected.trust_epoch = *registry().trust_epoch();
    auto outcome = run_task(registry().record(std::move(issuance), expected));
    EXPECT_TRUE(outcome) << outcome.error().describe();
    return outcome.value_or(core::RecordOutcome{});
  }
  // The unseen rule's attempt on the device's certificate.
  core::RecordOutcome replace(std::uint64_t device, std::uint64_t key, std::uint64_t new_key, std::uint64_t certificate,
                              core::RowId unseen) {
    core::Preconditions expected;
    expected.current_key = sample_key(key);
    expected.unseen_certificate = unseen;
    return record(device, new_key, certificate, expected);
  }
  std::vector<core::OutboxMessage> claim(std::int64_t at_ms, std::size_t limit = 100) {
    auto claimed = run_task(outbox().claim(kUpstream, moment(at_ms), limit));
    EXPECT_TRUE(claimed) << claimed.error().describe();
    return claimed.value_or(std::vector<core::OutboxMessage>{});
  }
  void settle(core::RowId row, OutboxState state, std::int64_t due_ms = 0, bool may_be_there = false, std::string note = {}) {
    core::OutboxSettlement settlement{row, state, 1, may_be_there, moment(due_ms), std::move(note)};
    EXPECT_TRUE(run_task(outbox().settle({settlement})));
  }
  core::OutboxTotals totals() { return outbox().outbox_totals(kUpstream).value_or(core::OutboxTotals{}); }
  std::uint64_t operate(core::OutboxOrder::Act act, std::optional<core::RowId> row, OutboxState state = OutboxState::stopped) {
    core::OutboxOrder order;
    order.act = act;
    order.row = row;
    order.state = state;
    order.at = moment(9'000);
    order.audit_body = core::audit_body(core::AuditEvent::upstream_retried, order.at, {{"reason", "a test"}});
    return run_task(outbox().operate(order)).value_or(99);
  }

 private:
  std::unique_ptr<RegistryUnderTest> under_test_;
};

TEST_P(OutboxContract, AMessageIsThereWithItsDevice) {
  EXPECT_FALSE(*outbox().next_due(kUpstream));
  const auto recorded = record(1, 1, 10);
  EXPECT_EQ(*outbox().next_due(kUpstream), moment(10));
  const auto entry = outbox().find_message(kUpstream, recorded.certificate);
  ASSERT_TRUE(entry && *entry);
  EXPECT_EQ((*entry)->state, OutboxState::waiting);
  EXPECT_EQ((*entry)->external_id, sample_uuid(1));
  EXPECT_EQ((*entry)->created_at, moment(10));
  const auto claimed = claim(10);
  ASSERT_EQ(claimed.size(), 1U);
  EXPECT_EQ(claimed[0].body, "body 10");
  EXPECT_EQ(claimed[0].identity, sample_identity(1));
  EXPECT_EQ(claimed[0].certificate, recorded.certificate);
  EXPECT_EQ(claimed[0].key, sample_key(1));
  EXPECT_EQ(claimed[0].attempts, 0U);
  EXPECT_FALSE(claimed[0].may_be_there);
  EXPECT_FALSE(*outbox().next_due(kUpstream)) << "what is being sent is not due";
}

// A delivered event leaves the outbox, its number does not come again: receivers know a repetition by it.
TEST_P(OutboxContract, AnEventsNumberIsNeverGivenAgain) {
  constexpr auto kEvents = OutboxChannel::events;
  core::RowId last = 0;
  for (std::int64_t i = 1; i <= 3; ++i) {
    const std::string audit = core::audit_body(core::AuditEvent::device_refused, moment(i), {{"reason", "a test"}});
    ASSERT_TRUE(run_task(outbox().append_event(audit, {kEvents, "event"}, moment(i))));
    const auto claimed = run_task(outbox().claim(kEvents, moment(i), 10));
    ASSERT_TRUE(claimed);
    ASSERT_EQ(claimed->size(), 1U);
    EXPECT_GT(claimed->front().row, last);
    last = claimed->front().row;
    settle(last, OutboxState::delivered);
  }
}

TEST_P(OutboxContract, WithoutADraftThereIsNoMessage) {
  core::IssuanceRecord issuance = sample_issuance(1, 1, 1);
  core::Preconditions expected;
  expected.trust_epoch = *registry().trust_epoch();
  const auto outcome = run_task(registry().record(issuance, expected));
  ASSERT_TRUE(outcome);
  EXPECT_FALSE(*outbox().find_message(kUpstream, outcome->certificate));
  EXPECT_TRUE(claim(1'000).empty());
}

TEST_P(OutboxContract, AConflictLeavesNoMessage) {
  record(1, 1, 10);
  EXPECT_EQ(record(1, 2, 11).conflict, RecordConflict::identity_changed);
  EXPECT_EQ(totals().waiting, 1U);
}

TEST_P(OutboxContract, ClaimsWhatIsDueOldestFirstAndOnce) {
  for (std::uint64_t device = 1; device <= 5; ++device) record(device, device, device);
  EXPECT_EQ(claim(3, 2).size(), 2U);
  const auto rest = claim(3);
  ASSERT_EQ(rest.size(), 1U);
  EXPECT_EQ(rest[0].identity, sample_identity(3));
  EXPECT_EQ(claim(100).size(), 2U);
  EXPECT_TRUE(claim(100).empty());
}

TEST_P(OutboxContract, KeepsTheOrderOfADevice) {
  record(1, 1, 1);
  core::Preconditions same_key;
  same_key.current_key = sample_key(1);
  record(1, 1, 2, same_key);
  const auto first = claim(100);
  ASSERT_EQ(first.size(), 1U);
  EXPECT_EQ(first[0].body, "body 1");
  EXPECT_TRUE(claim(100).empty()) << "the second waits for the first";
  settle(first[0].row, OutboxState::waiting, 500);
  EXPECT_TRUE(claim(100).empty()) << "also while the first waits for its next attempt";
  const auto again = claim(500);
  ASSERT_EQ(again.size(), 1U);
  EXPECT_EQ(again[0].body, "body 1");
  EXPECT_EQ(again[0].attempts, 1U);
  settle(again[0].row, OutboxState::delivered);
  const auto second = claim(500);
  ASSERT_EQ(second.size(), 1U);
  EXPECT_EQ(second[0].body, "body 2");
}

TEST_P(OutboxContract, CountsAndListsWhatIsOpen) {
  for (std::uint64_t device = 1; device <= 5; ++device) record(device, device, device);
  const auto claimed = claim(4);
  ASSERT_EQ(claimed.size(), 4U);
  settle(claimed[0].row, OutboxState::delivered);
  settle(claimed[1].row, OutboxState::unverified, 0, true, "may not read");
  settle(claimed[2].row, OutboxState::stopped, 0, false, "400 no");
  EXPECT_EQ(totals().waiting, 1U);
  EXPECT_EQ(totals().sending, 1U);
  EXPECT_EQ(totals().unverified, 1U);
  EXPECT_EQ(totals().stopped, 1U);
  EXPECT_EQ(totals().oldest, moment(4));
  const auto stopped = outbox().messages(kUpstream, OutboxState::stopped, 0, 10);
  ASSERT_TRUE(stopped);
  ASSERT_EQ(stopped->size(), 1U);
  EXPECT_EQ(stopped->front().note, "400 no");
  EXPECT_EQ(stopped->front().external_id, sample_uuid(3));
  EXPECT_TRUE(outbox().messages(kUpstream, OutboxState::stopped, stopped->front().row, 10)->empty());
}

TEST_P(OutboxContract, AnEndedProcessLeavesDoubtAndNothingElse) {
  record(1, 1, 1);
  record(2, 2, 2);
  const auto claimed = claim(1);
  ASSERT_EQ(claimed.size(), 1U);
  EXPECT_EQ(*run_task(outbox().recover(kUpstream)), 1U);
  EXPECT_EQ(*run_task(outbox().recover(kUpstream)), 0U);
  const auto again = claim(10);
  ASSERT_EQ(again.size(), 2U);
  EXPECT_TRUE(again[0].may_be_there);
  EXPECT_FALSE(again[1].may_be_there);
}

TEST_P(OutboxContract, OperatorsRetryAndDrop) {
  for (std::uint64_t device = 1; device <= 4; ++device) record(device, device, device);
  const auto claimed = claim(3);
  ASSERT_EQ(claimed.size(), 3U);
  settle(claimed[0].row, OutboxState::stopped, 0, false, "no");
  settle(claimed[1].row, OutboxState::stopped, 0, false, "no");
  const auto before = registry().audit_head()->count;
  EXPECT_EQ(operate(core::OutboxOrder::Act::retry, claimed[2].row), 0U) << "it is being sent";
  EXPECT_EQ(operate(core::OutboxOrder::Act::drop, 4'711), 0U);
  EXPECT_EQ(registry().audit_head()->count, before) << "nothing done, nothing audited";
  EXPECT_EQ(operate(core::OutboxOrder::Act::drop, claimed[0].row), 1U);
  EXPECT_EQ(operate(core::OutboxOrder::Act::retry, std::nullopt), 1U);
  EXPECT_EQ(registry().audit_head()->count, before + 2);
  EXPECT_EQ(totals().stopped, 0U);
  EXPECT_EQ(totals().waiting, 2U);
  EXPECT_EQ(*outbox().next_due(kUpstream), moment(4));
  EXPECT_EQ(claim(9'000).size(), 2U);
}

// DECISIONS, Enrollment: the unseen rule needs that the upstream has not got the first key.
TEST_P(OutboxContract, TheUnseenRuleTakesBackWhatWasNeverSent) {
  const auto first = record(1, 1, 1);
  const auto second = replace(1, 1, 2, 2, first.certificate);
  EXPECT_EQ(second.conflict, RecordConflict::none);
  const auto claimed = claim(100);
  ASSERT_EQ(claimed.size(), 1U);
  EXPECT_EQ(claimed[0].body, "body 2");
  EXPECT_EQ((*outbox().find_message(kUpstream, first.certificate))->state, OutboxState::superseded);
}

TEST_P(OutboxContract, TheUnseenRuleYieldsToWhatTheUpstreamMayHave) {
  struct Case {
    OutboxState state;
    bool may_be_there;
    RecordConflict expected;
  };
  const std::vector<Case> cases = {{OutboxState::sending, false, RecordConflict::upstream_has_key},
                                   {OutboxState::delivered, false, RecordConflict::upstream_has_key},
                                   {OutboxState::unverified, true, RecordConflict::upstream_has_key},
                                   {OutboxState::waiting, true, RecordConflict::upstream_has_key},
                                   {OutboxState::stopped, true, RecordConflict::upstream_has_key},
                                   {OutboxState::waiting, false, RecordConflict::none},
                                   {OutboxState::stopped, false, RecordConflict::none}};
  std::uint64_t number = 10;
  for (const Case& a : cases) {
    const std::uint64_t device = number;
    const auto first = record(device, number, number);
    const auto claimed = claim(1'000);
    ASSERT_EQ(claimed.size(), 1U);
    if (a.state != OutboxState::sending) settle(claimed[0].row, a.state, 100'000, a.may_be_there);
    EXPECT_EQ(replace(device, number, number + 1, number + 1, first.certificate).conflict, a.expected)
        << to_string(a.state) << " " << a.may_be_there;
    for (const auto& message : claim(1'000)) settle(message.row, OutboxState::delivered);
    number += 2;
  }
}

// A key that counts no more is not told of: the upstream would make the device with it.
TEST_P(OutboxContract, WhatIsDeniedForgottenOrReplacedIsNotSent) {
  const Instant at = moment(500);
  const auto body = [&](std::uint64_t device) {
    return sample_operator_body(core::AuditEvent::device_denied, sample_identity(device), at);
  };
  std::vector<core::RowId> certificates;
  for (std::uint64_t device = 1; device <= 4; ++device) certificates.push_back(record(device, device, device).certificate);
  ASSERT_TRUE(run_task(registry().deny(sample_identity(1), at, body(1))));
  ASSERT_TRUE(run_task(registry().remove(sample_identity(2), at, body(2))));
  core::DeviceChange forget;
  forget.forget_key = true;
  ASSERT_TRUE(run_task(registry().change(sample_identity(3), forget, at, body(3))));
  core::Preconditions operator_allowed;
  operator_allowed.current_key = sample_key(4);
  EXPECT_EQ(record(4, 40, 40, operator_allowed).conflict, RecordConflict::none);
  for (const core::RowId certificate : certificates)
    EXPECT_EQ((*outbox().find_message(kUpstream, certificate))->state, OutboxState::superseded);
  const auto claimed = claim(1'000);
  ASSERT_EQ(claimed.size(), 1U);
  EXPECT_EQ(claimed[0].body, "body 40");
}

INSTANTIATE_TEST_SUITE_P(Adapters, OutboxContract, every_adapter(), adapter_name);

}  // namespace
}  // namespace birthmark::testing
