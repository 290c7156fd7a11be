// SPDX-License-Identifier: Apache-2.0
// Production orders in the one procedure: who finds a place, who is told why not, and what the order decides. On both stores.
#include <gtest/gtest.h>

#include <algorithm>

#include "base/text.h"
#include "core/order_keeper.h"
#include "test_factory.h"

namespace birthmark::testing {
namespace {

using core::RefusalReason;

core::RegistrationRules required() {
  core::RegistrationRules rules;
  rules.orders = core::OrderRule::required;
  rules.retry_under_open_trust = true;
  return rules;
}

core::RegistrationRules decided_by_order() {
  core::RegistrationRules rules = required();
  rules.production = core::ProductionRule::order;
  return rules;
}

class OrderedEnrollment : public ::testing::TestWithParam<Store> {
 protected:
  static core::OrderRecord order(const std::string& name) {
    core::OrderRecord made;
    made.factory = "acme";
    made.name = name;
    return made;
  }
  static core::OrderRecord create(TestFactory& factory, const core::OrderRecord& wanted) {
    core::OrderKeeper keeper(*factory.orders, factory.clock);
    auto made = run_task(keeper.create(wanted, {"a test", "tester"}));
    EXPECT_TRUE(made) << made.error().describe();
    return made.value_or(core::OrderRecord{});
  }
  static core::OrderRecord create_list(TestFactory& factory, const core::OrderRecord& wanted, std::vector<core::OrderEntry> entries) {
    core::OrderKeeper keeper(*factory.orders, factory.clock);
    const auto staged = run_task(keeper.stage(wanted));
    EXPECT_TRUE(staged) << staged.error().describe();
    const auto count = entries.size();
    EXPECT_TRUE(run_task(factory.orders->add_entries(staged->import, std::move(entries))));
    auto made = run_task(keeper.finish(*staged, count, {"a test", "tester"}));
    EXPECT_TRUE(made) << made.error().describe();
    return made.value_or(core::OrderRecord{});
  }
  static std::uint64_t used(TestFactory& factory, const std::string& name) {
    core::OrderKeeper keeper(*factory.orders, factory.clock);
    return keeper.find("acme", name)->used;
  }
  static std::string refused_text(TestFactory& factory, const TestDevice& device) {
    const auto refusal = factory.expect_refused(device.enrollment());
    EXPECT_EQ(refusal.reason, RefusalReason::no_order);
    EXPECT_EQ(refusal.kind, core::RefusalKind::forbidden);
    return refusal.public_text;
  }
  static bool says(const std::string& text, std::string_view phrase) { return text.find(phrase) != std::string::npos; }
};

TEST_P(OrderedEnrollment, OutsideEveryOpenOrderIsRefusedWithTheReasons) {
  TestFactory factory(GetParam(), required());
  EXPECT_TRUE(says(refused_text(factory, TestDevice()), "no order is open"));
  core::OrderRecord hardware = order("hardware");
  hardware.hardware_ids = {"imx8mm"};
  create(factory, hardware);
  core::OrderRecord pattern = order("pattern");
  pattern.pattern = "ffff*";
  create(factory, pattern);
  core::OrderRecord early = order("early");
  early.from = factory.clock.now() + std::chrono::hours(1);
  create(factory, early);
  const std::string text = refused_text(factory, TestDevice());
  EXPECT_TRUE(says(text, "order hardware is not for hardware id intel-corei7-64")) << text;
  EXPECT_TRUE(says(text, "order pattern is for ids like ffff*")) << text;
  EXPECT_TRUE(says(text, "order early begins at")) << text;
  EXPECT_EQ(factory.registry->totals()->devices, 0U);
  factory.clock.pass(std::chrono::hours(1));
  static_cast<void>(factory.expect_enrolled(TestDevice().enrollment()));
  EXPECT_EQ(used(factory, "early"), 1U);
}

TEST_P(OrderedEnrollment, AFullOrderTakesNoMoreAndReplaysWhatItTook) {
  TestFactory factory(GetParam(), required());
  core::OrderRecord one = order("one");
  one.places = 1;
  create(factory, one);
  const TestDevice first;
  static_cast<void>(factory.expect_enrolled(first.enrollment()));
  EXPECT_TRUE(factory.expect_enrolled(first.enrollment()).replayed);
  const std::string text = refused_text(factory, TestDevice("11111111-2222-4333-8444-555555555555"));
  EXPECT_TRUE(says(text, "order one is full (1 of 1)")) << text;
  EXPECT_EQ(used(factory, "one"), 1U);
}

TEST_P(OrderedEnrollment, TheUnseenRuleMovesNoCounter) {
  TestFactory factory(GetParam(), required());
  core::OrderRecord one = order("one");
  one.places = 1;
  create(factory, one);
  static_cast<void>(factory.expect_enrolled(TestDevice().enrollment()));
  const TestDevice retry;
  static_cast<void>(factory.expect_enrolled(retry.enrollment()));
  EXPECT_EQ(factory.device().current_key, retry.key.spki_sha256());
  EXPECT_EQ(used(factory, "one"), 1U);
}

TEST_P(OrderedEnrollment, AListGivesNamesAndDemandsItsHardware) {
  TestFactory factory(GetParam(), required());
  create_list(factory, order("list"), {{kUuid, "pump 7", "intel-corei7-64"}, {"11111111-2222-4333-8444-555555555555", "", "imx8mm"}});
  static_cast<void>(factory.expect_enrolled(TestDevice().enrollment()));
  EXPECT_EQ(factory.device().name, "pump 7");
  const std::string text = refused_text(factory, TestDevice("11111111-2222-4333-8444-555555555555"));
  EXPECT_TRUE(says(text, "with hardware id imx8mm")) << text;
  EXPECT_TRUE(says(refused_text(factory, TestDevice("11111111-2222-4333-8444-555555555556")), "no order is open for it"));
}

TEST_P(OrderedEnrollment, TheOrderDecidesOnProduction) {
  TestFactory factory(GetParam(), decided_by_order());
  core::OrderRecord production = order("production");
  production.production = true;
  create_list(factory, production, {{kUuid, "", ""}});
  core::OrderRecord samples = order("samples");
  samples.production = false;
  create(factory, samples);
  const auto is_production = [&](const core::Enrolled& enrolled) {
    const auto subject = factory.facts(enrolled).subject;
    return std::any_of(subject.begin(), subject.end(),
                       [](const auto& attribute) { return attribute.type == core::NameAttributeType::business_category; });
  };
  const TestDevice device;  // does not say so itself
  EXPECT_TRUE(is_production(factory.expect_enrolled(device.enrollment())));
  EXPECT_TRUE(factory.device().production);
  EXPECT_TRUE(factory.expect_enrolled(device.enrollment()).replayed);
  const TestDevice bold("11111111-2222-4333-8444-555555555555", "acme", true);
  EXPECT_FALSE(is_production(factory.expect_enrolled(bold.enrollment())));
  EXPECT_TRUE(factory.expect_enrolled(bold.enrollment()).replayed);
}

TEST_P(OrderedEnrollment, WithoutAnOrderNobodyIsAProductionDeviceWhenOrdersDecide) {
  core::RegistrationRules rules = decided_by_order();
  rules.orders = core::OrderRule::off;
  TestFactory factory(GetParam(), rules);
  static_cast<void>(factory.expect_enrolled(TestDevice(kUuid, "acme", true).enrollment()));
  EXPECT_FALSE(factory.device().production);
}

TEST_P(OrderedEnrollment, TestOrdersSayHowLongTheirCertificatesAreValid) {
  TestFactory factory(GetParam(), required());
  core::OrderRecord trial = order("trial");
  trial.test = true;
  trial.valid_for = std::chrono::hours(24);
  create(factory, trial);
  const auto facts = factory.facts(factory.expect_enrolled(TestDevice().enrollment()));
  EXPECT_LE(facts.not_after, factory.clock.now() + std::chrono::hours(24));
  EXPECT_GT(facts.not_after, factory.clock.now() + std::chrono::hours(23));
}

TEST_P(OrderedEnrollment, DevicesThatWereThereBeforeNeedNoOrder) {
  core::RegistrationRules rules = required();
  TestFactory factory(GetParam(), rules);
  const auto closed = create(factory, order("closed"));
  const TestDevice device;
  static_cast<void>(factory.expect_enrolled(device.enrollment()));
  core::OrderKeeper keeper(*factory.orders, factory.clock);
  ASSERT_TRUE(run_task(keeper.close("acme", closed.name, {"done", "tester"})));
  EXPECT_TRUE(factory.expect_enrolled(device.enrollment()).replayed);
  static_cast<void>(factory.expect_enrolled(TestDevice().enrollment()));  // the unseen rule
}

TEST_P(OrderedEnrollment, ADeniedDeviceIsToldSoBeforeItIsToldOfOrders) {
  TestFactory factory(GetParam(), required());
  core::Lifecycle lifecycle(*factory.registry, factory.clock);
  const auto identity = *core::identify("acme", core::Ecosystem::foundries, kUuid, core::DeviceIdRule::uuid);
  ASSERT_TRUE(run_task(lifecycle.deny(identity, {"stolen", "tester"})));
  EXPECT_EQ(factory.expect_refused(TestDevice().enrollment()).reason, RefusalReason::denied);
}

TEST_P(OrderedEnrollment, TheAuditNamesTheOrder) {
  TestFactory factory(GetParam(), required());
  create(factory, order("one"));
  static_cast<void>(factory.expect_enrolled(TestDevice().enrollment()));
  const auto records = factory.registry->audit_records(0, 1000);
  EXPECT_TRUE(records->back().body.ends_with(R"("order":"one"})")) << records->back().body;
}

TEST_P(OrderedEnrollment, ReleasedOrphansGiveTheirPlacesBack) {
  TestFactory factory(GetParam(), required());
  core::OrderRecord two = order("two");
  two.places = 2;
  create(factory, two);
  static_cast<void>(factory.expect_enrolled(TestDevice().enrollment("10.0.0.1")));
  static_cast<void>(factory.expect_enrolled(TestDevice("11111111-2222-4333-8444-555555555555").enrollment("10.0.0.2")));
  factory.clock.pass(std::chrono::hours(2));
  core::OrderKeeper keeper(*factory.orders, factory.clock);
  const Instant before = factory.clock.now() - std::chrono::hours(1);
  EXPECT_EQ(*run_task(keeper.release_unseen(before, "10.0.0.1", {"orphans", "tester"})), 1U);
  EXPECT_EQ(used(factory, "two"), 1U);
  EXPECT_EQ(factory.device().status, core::DeviceStatus::released);
  EXPECT_EQ(*run_task(keeper.release_unseen(before, "", {"orphans", "tester"})), 1U);
  EXPECT_EQ(*run_task(keeper.release_unseen(before, "", {"orphans", "tester"})), 0U);
  static_cast<void>(factory.expect_enrolled(TestDevice().enrollment()));
  EXPECT_EQ(used(factory, "two"), 1U);
}

TEST_P(OrderedEnrollment, OrdersThatMakeNoSenseAreRefused) {
  TestFactory factory(GetParam(), required());
  core::OrderKeeper keeper(*factory.orders, factory.clock);
  const auto refused = [&](const core::OrderRecord& wanted) { return !run_task(keeper.create(wanted, {"a test", "tester"})); };
  EXPECT_TRUE(refused(order("")));
  EXPECT_TRUE(refused(order("../x")));
  core::OrderRecord backwards = order("x");
  backwards.from = factory.clock.now();
  backwards.until = factory.clock.now();
  EXPECT_TRUE(refused(backwards));
  core::OrderRecord none = order("x");
  none.places = 0;
  EXPECT_TRUE(refused(none));
  core::OrderRecord brief = order("x");
  brief.valid_for = std::chrono::hours(1);
  EXPECT_TRUE(refused(brief)) << "only test orders shorten certificates";
  EXPECT_TRUE(factory.orders->orders()->empty());
}

INSTANTIATE_TEST_SUITE_P(Stores, OrderedEnrollment, ::testing::Values(Store::memory, Store::sqlite),
                         [](const auto& instance) { return instance.param == Store::memory ? "memory" : "sqlite"; });

}  // namespace
}  // namespace birthmark::testing
