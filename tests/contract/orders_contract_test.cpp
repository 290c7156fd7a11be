// SPDX-License-Identifier: Apache-2.0
// The contract of core/ports/orders.h, and of Preconditions::order in registry.h, run against every adapter.
#include "base/run_task.h"
#include "registry_samples.h"
#include "registry_under_test.h"

namespace birthmark::testing {
namespace {

using core::OrderState;
using core::RecordConflict;

core::OrderRecord sample_order(const std::string& name, std::optional<std::uint64_t> places = std::nullopt) {
  core::OrderRecord order;
  order.factory = "factory-a";
  order.name = name;
  order.places = places;
  order.hardware_ids = {"intel-corei7-64", "imx8mm"};
  order.from = from_unix_ms(kSampleEpochMs - 1000);
  order.until = from_unix_ms(kSampleEpochMs + 100'000'000);
  order.production = true;
  order.group = "field";
  order.test = true;
  order.valid_for = std::chrono::hours(24);
  order.created_at = from_unix_ms(kSampleEpochMs);
  return order;
}

std::string body(core::AuditEvent event) {
  return core::audit_body(event, from_unix_ms(kSampleEpochMs), {{"factory", "factory-a"}});
}

std::vector<core::OrderEntry> entries(std::uint64_t first, std::uint64_t count) {
  std::vector<core::OrderEntry> made;
  for (std::uint64_t number = first; number < first + count; ++number)
    made.push_back({sample_uuid(number), "name " + std::to_string(number), number % 2 == 0 ? "imx8mm" : ""});
  return made;
}

constexpr Instant kLater = Instant(Duration(kSampleEpochMs + 3600000));

class OrdersContract : public ::testing::TestWithParam<Adapter> {
 protected:
  OrdersContract() : under_test_(GetParam().make()) {
    EXPECT_TRUE(run_task(registry().apply(sample_trust())));
    epoch_ = *registry().trust_epoch();
  }
  core::Registry& registry() { return under_test_->registry(); }
  core::Orders& orders() { return under_test_->orders(); }
  std::uint64_t audit_count() { return registry().audit_head()->count; }

  core::RowId create(const core::OrderRecord& order) {
    const std::string audit = order.state == OrderState::importing ? "" : body(core::AuditEvent::order_created);
    auto made = run_task(orders().create_order(order, audit));
    EXPECT_TRUE(made) << made.error().describe();
    return made ? made->row : 0;
  }
  core::OrderRecord order(core::RowId row) {
    const auto all = orders().orders();
    EXPECT_TRUE(all);
    for (const auto& known : *all)
      if (known.row == row) return known;
    ADD_FAILURE() << "no order " << row;
    return {};
  }
  RecordConflict record(std::uint64_t device, std::optional<core::RowId> place, std::uint64_t key = 0,
                        std::optional<core::RowId> unseen = std::nullopt) {
    core::Preconditions expected;
    expected.trust_epoch = *registry().trust_epoch();
    if (unseen) expected.current_key = sample_key(device);
    expected.unseen_certificate = unseen;
    expected.order = place;
    auto outcome = run_task(registry().record(sample_issuance(device, key != 0 ? key : device, ++certificate_), expected));
    EXPECT_TRUE(outcome) << outcome.error().describe();
    last_certificate_ = outcome->certificate;
    return outcome->conflict;
  }

  std::uint64_t epoch_ = 0;
  std::uint64_t certificate_ = 0;
  core::RowId last_certificate_ = 0;

 private:
  std::unique_ptr<RegistryUnderTest> under_test_;
};

TEST_P(OrdersContract, an_order_comes_back_as_it_was_made) {
  const auto records = audit_count();
  const auto wanted = sample_order("one", 5);
  const auto found = order(create(wanted));
  EXPECT_EQ(found.factory, wanted.factory);
  EXPECT_EQ(found.name, wanted.name);
  EXPECT_EQ(found.state, OrderState::open);
  EXPECT_EQ(found.places, wanted.places);
  EXPECT_EQ(found.hardware_ids, wanted.hardware_ids);
  EXPECT_EQ(found.from, wanted.from);
  EXPECT_EQ(found.until, wanted.until);
  EXPECT_EQ(found.production, wanted.production);
  EXPECT_EQ(found.group, wanted.group);
  EXPECT_EQ(found.test, wanted.test);
  EXPECT_EQ(found.valid_for, wanted.valid_for);
  EXPECT_EQ(found.created_at, wanted.created_at);
  EXPECT_EQ(found.used, 0U);
  EXPECT_EQ(audit_count(), records + 1);
  core::OrderRecord bare;
  bare.factory = "factory-a";
  bare.name = "two";
  bare.pattern = "28d3*";
  const auto second = order(create(bare));
  EXPECT_EQ(second.pattern, "28d3*");
  EXPECT_FALSE(second.places || second.from || second.until || second.production || second.valid_for || second.test);
  EXPECT_TRUE(second.hardware_ids.empty());
}

TEST_P(OrdersContract, a_name_is_taken_once_in_a_factory) {
  create(sample_order("one"));
  const auto again = run_task(orders().create_order(sample_order("one"), body(core::AuditEvent::order_created)));
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, ErrorCode::conflict);
  core::OrderRecord elsewhere = sample_order("one");
  elsewhere.factory = "factory-b";
  EXPECT_NE(create(elsewhere), 0);
}

TEST_P(OrdersContract, the_counter_is_never_passed_and_moves_with_the_device) {
  const auto row = create(sample_order("one", 3));
  for (std::uint64_t device = 1; device <= 3; ++device) EXPECT_EQ(record(device, row), RecordConflict::none);
  const auto records = audit_count();
  EXPECT_EQ(record(4, row), RecordConflict::order_refused);
  EXPECT_EQ(order(row).used, 3U);
  EXPECT_EQ(audit_count(), records);
  EXPECT_EQ(*registry().find(sample_identity(4)), std::nullopt);
}

TEST_P(OrdersContract, a_record_without_an_order_moves_no_counter) {
  const auto row = create(sample_order("one", 3));
  EXPECT_EQ(record(1, std::nullopt), RecordConflict::none);
  EXPECT_EQ(order(row).used, 0U);
}

TEST_P(OrdersContract, an_identity_takes_one_place_however_often_it_is_recorded) {
  const auto row = create(sample_order("one", 1));
  const auto other = create(sample_order("two", 1));
  EXPECT_EQ(record(1, row), RecordConflict::none);
  const auto first = last_certificate_;
  EXPECT_EQ(record(1, row, 100, first), RecordConflict::none) << "the unseen rule";
  EXPECT_EQ(order(row).used, 1U);
  const auto identity = sample_identity(1);
  ASSERT_TRUE(run_task(registry().deny(identity, kLater, sample_operator_body(core::AuditEvent::device_denied, identity, kLater))));
  ASSERT_TRUE(run_task(registry().allow(identity, kLater, sample_operator_body(core::AuditEvent::device_allowed, identity, kLater))));
  EXPECT_EQ(record(1, other, 200), RecordConflict::none) << "forgotten, but still the device that was counted";
  EXPECT_EQ(order(row).used, 1U);
  EXPECT_EQ(order(other).used, 0U);
}

TEST_P(OrdersContract, a_closed_an_unknown_and_an_ended_order_take_nobody) {
  const auto row = create(sample_order("one"));
  ASSERT_TRUE(run_task(orders().close_order(row, body(core::AuditEvent::order_closed))));
  EXPECT_EQ(record(1, row), RecordConflict::order_refused);
  EXPECT_EQ(record(1, row + 100), RecordConflict::order_refused);
  core::OrderRecord ended = sample_order("two");
  ended.until = from_unix_ms(kSampleEpochMs);
  EXPECT_EQ(record(1, create(ended)), RecordConflict::order_refused);
  core::OrderRecord early = sample_order("three");
  early.from = from_unix_ms(kSampleEpochMs + 1'000'000);
  EXPECT_EQ(record(1, create(early)), RecordConflict::order_refused);
}

TEST_P(OrdersContract, closing_is_audited_once) {
  const auto row = create(sample_order("one"));
  const auto records = audit_count();
  for (int i = 0; i < 2; ++i) {
    const auto closed = run_task(orders().close_order(row, body(core::AuditEvent::order_closed)));
    ASSERT_TRUE(closed);
    EXPECT_EQ(closed->state, OrderState::closed);
  }
  EXPECT_EQ(audit_count(), records + 1);
  EXPECT_EQ(run_task(orders().close_order(row + 1, body(core::AuditEvent::order_closed))).error().code, ErrorCode::not_found);
}

TEST_P(OrdersContract, a_list_takes_effect_at_once_or_never) {
  core::OrderRecord wanted = sample_order("one");
  wanted.state = OrderState::importing;
  wanted.lists_devices = true;
  const auto records = audit_count();
  const auto row = create(wanted);
  const auto import = *run_task(orders().begin_import(row));
  ASSERT_TRUE(run_task(orders().add_entries(import, entries(1, 10))));
  EXPECT_TRUE(orders().view(sample_identity(1))->offers.empty());
  EXPECT_EQ(audit_count(), records);
  EXPECT_EQ(*orders().unfinished_imports(row), std::vector<core::RowId>{import});

  const auto finished = run_task(orders().finish_import(import, body(core::AuditEvent::order_created)));
  ASSERT_TRUE(finished);
  EXPECT_EQ(finished->state, OrderState::open);
  EXPECT_EQ(finished->listed, 10U);
  EXPECT_EQ(audit_count(), records + 1);
  const auto view = orders().view(sample_identity(2));
  ASSERT_EQ(view->offers.size(), 1U);
  EXPECT_EQ(view->offers[0].order.row, row);
  ASSERT_TRUE(view->offers[0].entry);
  EXPECT_EQ(view->offers[0].entry->name, "name 2");
  EXPECT_EQ(view->offers[0].entry->hardware_id, "imx8mm");
  EXPECT_TRUE(orders().view(sample_identity(11))->offers.empty());
  EXPECT_TRUE(orders().unfinished_imports(row)->empty());
  EXPECT_FALSE(run_task(orders().add_entries(import, entries(20, 1))));
  EXPECT_FALSE(run_task(orders().finish_import(import, body(core::AuditEvent::order_created))));
}

TEST_P(OrdersContract, what_is_listed_twice_is_named_and_not_added) {
  core::OrderRecord wanted = sample_order("one");
  wanted.lists_devices = true;
  const auto row = create(wanted);
  const auto first = *run_task(orders().begin_import(row));
  auto list = entries(1, 3);
  list.push_back(list[1]);
  EXPECT_EQ(*run_task(orders().add_entries(first, list)), std::vector<std::size_t>{3});
  EXPECT_EQ(*run_task(orders().add_entries(first, entries(3, 2))), std::vector<std::size_t>{0});
  ASSERT_TRUE(run_task(orders().finish_import(first, body(core::AuditEvent::order_extended))));
  const auto second = *run_task(orders().begin_import(row));
  EXPECT_EQ(*run_task(orders().add_entries(second, entries(4, 2))), std::vector<std::size_t>{0});
  EXPECT_EQ(run_task(orders().finish_import(second, body(core::AuditEvent::order_extended)))->listed, 5U);
}

TEST_P(OrdersContract, a_discarded_import_leaves_nothing_behind) {
  core::OrderRecord wanted = sample_order("one");
  wanted.state = OrderState::importing;
  wanted.lists_devices = true;
  const auto row = create(wanted);
  const auto import = *run_task(orders().begin_import(row));
  ASSERT_TRUE(run_task(orders().add_entries(import, entries(1, 10))));
  EXPECT_FALSE(*run_task(orders().discard_import(import, 4)));
  EXPECT_FALSE(*run_task(orders().discard_import(import, 4)));
  EXPECT_TRUE(*run_task(orders().discard_import(import, 4)));
  EXPECT_TRUE(*run_task(orders().discard_import(import, 4)));
  EXPECT_TRUE(orders().orders()->empty()) << "an order that was only made for it goes too";

  core::OrderRecord open = sample_order("two");
  open.lists_devices = true;
  const auto kept = create(open);
  const auto more = *run_task(orders().begin_import(kept));
  ASSERT_TRUE(run_task(orders().add_entries(more, entries(1, 1))));
  EXPECT_TRUE(*run_task(orders().discard_import(more, 4)));
  EXPECT_EQ(order(kept).listed, 0U);
}

TEST_P(OrdersContract, the_view_puts_lists_first_and_names_the_order_that_counted_the_device) {
  const auto any = create(sample_order("any"));
  core::OrderRecord listing = sample_order("list");
  listing.lists_devices = true;
  const auto listed = create(listing);
  const auto import = *run_task(orders().begin_import(listed));
  ASSERT_TRUE(run_task(orders().add_entries(import, entries(1, 1))));
  ASSERT_TRUE(run_task(orders().finish_import(import, body(core::AuditEvent::order_extended))));
  core::OrderRecord elsewhere = sample_order("elsewhere");
  elsewhere.factory = "factory-b";
  create(elsewhere);
  const auto view = orders().view(sample_identity(1));
  ASSERT_EQ(view->offers.size(), 2U);
  EXPECT_EQ(view->offers[0].order.row, listed);
  EXPECT_EQ(view->offers[1].order.row, any);
  EXPECT_FALSE(view->claimed);
  ASSERT_EQ(record(1, any), RecordConflict::none);
  const auto counted = orders().view(sample_identity(1));
  ASSERT_TRUE(counted->claimed);
  EXPECT_EQ(counted->claimed->row, any);
}

TEST_P(OrdersContract, an_unseen_device_is_released_and_its_place_is_free) {
  const auto row = create(sample_order("one", 2));
  ASSERT_EQ(record(1, row), RecordConflict::none);
  const auto unanswered = last_certificate_;
  ASSERT_EQ(record(2, row), RecordConflict::none);
  registry().note_delivery(last_certificate_, core::Delivery::answered);
  ASSERT_EQ(record(3, std::nullopt), RecordConflict::none);  // its batch carries the note
  const auto third = last_certificate_;

  EXPECT_TRUE(orders().unseen(from_unix_ms(kSampleEpochMs), "", 0, 10)->empty()) << "all are younger";
  const auto unseen = orders().unseen(kLater, "", 0, 10);
  ASSERT_EQ(unseen->size(), 2U);
  EXPECT_EQ((*unseen)[0].identity, sample_identity(1));
  EXPECT_EQ((*unseen)[0].certificate, unanswered);
  EXPECT_EQ((*unseen)[1].certificate, third);
  EXPECT_EQ(orders().unseen(kLater, "", unanswered, 10)->size(), 1U);
  EXPECT_EQ(orders().unseen(kLater, "station-3", 0, 10)->size(), 1U);

  const auto records = audit_count();
  const std::string audit = sample_operator_body(core::AuditEvent::device_released, sample_identity(1), kLater);
  EXPECT_TRUE(*run_task(orders().release_unseen(sample_identity(1), unanswered, audit)));
  EXPECT_EQ(audit_count(), records + 1);
  EXPECT_EQ(order(row).used, 1U);
  const auto released = registry().find(sample_identity(1));
  EXPECT_EQ((*released)->status, core::DeviceStatus::released);
  EXPECT_FALSE((*released)->current_key);
  EXPECT_FALSE(*run_task(orders().release_unseen(sample_identity(1), unanswered, audit))) << "once";
  EXPECT_FALSE(*run_task(orders().release_unseen(sample_identity(2), unanswered + 1, audit))) << "it was answered";
  EXPECT_EQ(audit_count(), records + 1);
  EXPECT_EQ(record(1, row, 500), RecordConflict::none) << "it may come again";
  EXPECT_EQ(order(row).used, 2U);
}

INSTANTIATE_TEST_SUITE_P(Adapters, OrdersContract, every_adapter(), adapter_name);

}  // namespace
}  // namespace birthmark::testing
