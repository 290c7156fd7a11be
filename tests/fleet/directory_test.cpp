// SPDX-License-Identifier: Apache-2.0
// The DeviceDirectory port, each answer compared with what a plain list of the same devices says - listed, half listed and not at all.
#include <algorithm>
#include <random>

#include "fleet_registry.h"

namespace birthmark::testing {
namespace {

using core::DeviceOrder;
using core::DirectoryQuery;

struct Plain {
  core::RowId row = 0;
  std::string name, group, owner;
  bool production = false, active = true;
  std::int64_t seen = -1;  // never
};

class Directory : public ::testing::Test {
 protected:
  // Forty devices with names that repeat, in three groups, a few seen, a few denied.
  void fill(std::uint64_t seed) {
    std::mt19937_64 random(seed);
    for (std::uint64_t i = 0; i < 40; ++i) {
      Plain plain;
      plain.name = "dev-" + std::to_string(random() % 25);
      plain.group = std::array<std::string, 3>{"", "lab", "line-7"}[random() % 3];
      plain.production = random() % 2 == 0;
      const core::DeviceIdentity identity = fleet_.add(i, plain.name, plain.group, plain.production);
      plain.row = good(fleet_.registry().find(identity))->row;
      if (random() % 2 == 0) {
        plain.seen = kSampleEpochMs + static_cast<std::int64_t>(random() % 1000);
        fleet_.registry().field().note_contacts({{plain.row, from_unix_ms(plain.seen)}});
      }
      if (random() % 5 == 0) {
        plain.owner = "somebody";
        EXPECT_TRUE(run_task(fleet_.directory().set_owner(identity, plain.owner, "{}")));
      }
      if (random() % 8 == 0) {
        plain.active = false;
        EXPECT_TRUE(run_task(fleet_.registry().remove(identity, from_unix_ms(kSampleEpochMs), "{}")));
      }
      plain_.push_back(plain);
    }
  }

  [[nodiscard]] std::vector<core::RowId> expected(const DirectoryQuery& query) const {
    std::vector<Plain> fitting;
    for (const Plain& plain : plain_) {
      const bool named = query.name.empty() || (query.is_pattern ? plain.name.starts_with("dev-1") : plain.name == query.name);
      const bool owned = !query.owner || plain.owner == *query.owner || (query.or_without_owner && plain.owner.empty());
      if (plain.active && named && owned && (!query.group || plain.group == *query.group) &&
          (!query.production || plain.production == *query.production))
        fitting.push_back(plain);
    }
    const auto up = [&](const Plain& a, const Plain& b) {
      if (query.order == DeviceOrder::name || query.order == DeviceOrder::name_descending)
        return std::pair(a.name, a.row) < std::pair(b.name, b.row);
      return std::pair(a.seen, a.row) < std::pair(b.seen, b.row);
    };
    std::sort(fitting.begin(), fitting.end(), up);
    if (query.order == DeviceOrder::name_descending || query.order == DeviceOrder::last_seen_descending)
      std::reverse(fitting.begin(), fitting.end());
    std::vector<core::RowId> rows;
    for (const Plain& plain : fitting) rows.push_back(plain.row);
    return rows;
  }

  [[nodiscard]] static std::vector<core::RowId> rows_of(const core::DirectoryPage& page) {
    std::vector<core::RowId> rows;
    for (const core::DirectoryEntry& entry : page.devices) rows.push_back(entry.device.row);
    return rows;
  }

  // Whole, by pages of seven, and by what follows a device.
  void check(DirectoryQuery query) {
    query.factory = "factory-a";
    const auto all = expected(query);
    const auto whole = good(fleet_.directory().page(query));
    EXPECT_EQ(rows_of(whole), all);
    EXPECT_EQ(whole.total, all.size());
    EXPECT_FALSE(whole.more);
    std::vector<core::RowId> by_page;
    query.limit = 7;
    for (bool more = true; more; query.skip += 7) {
      const auto page = good(fleet_.directory().page(query));
      for (const core::RowId row : rows_of(page)) by_page.push_back(row);
      more = page.more;
    }
    EXPECT_EQ(by_page, all);
    if (query.order == DeviceOrder::last_seen || query.order == DeviceOrder::last_seen_descending) return;
    std::vector<core::RowId> by_key;
    query.skip = 0;
    for (bool more = true; more;) {
      const auto page = good(fleet_.directory().page(query));
      for (const core::RowId row : rows_of(page)) by_key.push_back(row);
      more = page.more;
      if (page.devices.empty()) break;
      query.after_name = page.devices.back().device.name;
      query.after = page.devices.back().device.row;
    }
    EXPECT_EQ(by_key, all);
  }

  void check_all() {
    for (const DeviceOrder order :
         {DeviceOrder::name, DeviceOrder::name_descending, DeviceOrder::last_seen, DeviceOrder::last_seen_descending}) {
      SCOPED_TRACE(static_cast<int>(order));
      DirectoryQuery query;
      query.order = order;
      check(query);
      query.name = "dev-1*";
      query.is_pattern = true;
      check(query);
      query.group = "lab";
      check(query);
      query = DirectoryQuery{};
      query.order = order;
      query.name = "dev-3";
      check(query);
      query = DirectoryQuery{};
      query.order = order;
      query.production = true;
      check(query);
      query.group = "line-7";
      check(query);
      query = DirectoryQuery{};
      query.order = order;
      query.owner = "somebody";
      check(query);
      query.or_without_owner = true;
      check(query);
    }
  }

  FleetRegistry fleet_;
  std::vector<Plain> plain_;
};

TEST_F(Directory, ListsNewcomersThatNoIndexHasYet) {
  fill(1);
  check_all();
}

TEST_F(Directory, ListsTheSameWhenHalfAreInTheIndexes) {
  fill(2);
  fleet_.list_newcomers(20);
  check_all();
}

TEST_F(Directory, ListsTheSameWhenAllAreInTheIndexes) {
  fill(3);
  fleet_.list_newcomers(1000);
  fleet_.list_newcomers(1000);
  check_all();
}

TEST_F(Directory, FollowsWhatHappensToListedDevices) {
  fill(4);
  fleet_.list_newcomers(1000);
  for (std::size_t i = 0; i < plain_.size(); i += 3) {
    if (!plain_[i].active) continue;
    core::DeviceChange change;
    change.name = "renamed-" + std::to_string(i % 5);
    change.group = "lab";
    plain_[i].name = *change.name;
    plain_[i].group = "lab";
    EXPECT_TRUE(run_task(fleet_.registry().change(sample_identity(i), change, from_unix_ms(kSampleEpochMs), "{}")));
  }
  check_all();
}

TEST_F(Directory, PatternsAreTheShells) {
  fleet_.add(1, "a-1");
  fleet_.add(2, "a-2");
  fleet_.add(3, "b-1");
  DirectoryQuery query;
  query.factory = "factory-a";
  query.is_pattern = true;
  const auto found = [&](const std::string& pattern) {
    query.name = pattern;
    std::string names;
    for (const auto& entry : good(fleet_.directory().page(query)).devices) names += entry.device.name + " ";
    return names;
  };
  EXPECT_EQ(found("a-*"), "a-1 a-2 ");
  EXPECT_EQ(found("*-1"), "a-1 b-1 ");
  EXPECT_EQ(found("?-[!2]"), "a-1 b-1 ");
  EXPECT_EQ(found("a-1"), "a-1 ");
  EXPECT_EQ(found("A-1"), "");
}

TEST_F(Directory, DeniedDevicesAreAListOfTheirOwn) {
  fill(5);
  fleet_.list_newcomers(20);
  DirectoryQuery query;
  query.factory = "factory-a";
  query.denied = true;
  std::vector<core::RowId> denied;
  for (const Plain& plain : plain_)
    if (!plain.active) denied.push_back(plain.row);
  const auto page = good(fleet_.directory().page(query));
  EXPECT_EQ(rows_of(page), denied);
  EXPECT_EQ(page.total, denied.size());
  ASSERT_GT(denied.size(), 1U);
  query.limit = 1;
  query.skip = 1;
  EXPECT_EQ(rows_of(good(fleet_.directory().page(query))), std::vector{denied[1]});
}

TEST_F(Directory, NothingCrossesFactories) {
  fill(6);
  DirectoryQuery query;
  query.factory = "factory-b";
  EXPECT_TRUE(good(fleet_.directory().page(query)).devices.empty());
}

// --- groups ------------------------------------------------------------------------------------------------------------------------------

core::DeviceGroup group_called(const std::string& name) {
  core::DeviceGroup group;
  group.factory = "factory-a";
  group.name = name;
  group.created_at = from_unix_ms(kSampleEpochMs);
  group.updated_at = group.created_at;
  return group;
}

TEST_F(Directory, AGroupIsMadeOnceAndRemovedOnlyEmpty) {
  EXPECT_TRUE(run_task(fleet_.directory().add_group(group_called("lab"), "{}")));
  EXPECT_EQ(run_task(fleet_.directory().add_group(group_called("lab"), "{}")).error().code, ErrorCode::conflict);
  fleet_.add(1, "a", "lab");
  EXPECT_EQ(run_task(fleet_.directory().remove_group("factory-a", "lab", "{}")).error().code, ErrorCode::conflict);
  fleet_.list_newcomers(10);
  EXPECT_EQ(run_task(fleet_.directory().remove_group("factory-a", "lab", "{}")).error().code, ErrorCode::conflict);
  core::DeviceChange out;
  out.group = "";
  EXPECT_TRUE(run_task(fleet_.registry().change(sample_identity(1), out, from_unix_ms(kSampleEpochMs), "{}")));
  EXPECT_TRUE(run_task(fleet_.directory().remove_group("factory-a", "lab", "{}")));
  EXPECT_EQ(run_task(fleet_.directory().remove_group("factory-a", "lab", "{}")).error().code, ErrorCode::not_found);
}

TEST_F(Directory, GroupsThatNobodyMadeAreThereToo) {
  fleet_.add(1, "a", "from-the-line");
  EXPECT_TRUE(run_task(fleet_.directory().add_group(group_called("lab"), "{}")));
  for (int listed = 0; listed < 2; ++listed) {
    const auto groups = good(fleet_.directory().groups("factory-a"));
    ASSERT_EQ(groups.size(), 2U);
    EXPECT_EQ(groups[0].name, "from-the-line");
    EXPECT_EQ(groups[0].row, 0);
    EXPECT_EQ(groups[1].name, "lab");
    fleet_.list_newcomers(10);
  }
}

TEST_F(Directory, ARenamedGroupTakesItsDevicesAndTheirConfigurationAlong) {
  EXPECT_TRUE(run_task(fleet_.directory().add_group(group_called("lab"), "{}")));
  fleet_.add(1, "a", "lab");
  fleet_.list_newcomers(10);
  fleet_.add(2, "b", "lab");
  core::FieldAppend config;
  config.key = {"factory-a", "group:lab", "config"};
  config.bodies = {"{}"};
  EXPECT_TRUE(run_task(fleet_.registry().field().append(config)));
  const auto epoch = good(fleet_.registry().trust_epoch());
  core::DeviceGroupChange change;
  change.name = "hall-2";
  EXPECT_TRUE(run_task(fleet_.directory().change_group(group_called("lab"), change, "{}")));
  EXPECT_EQ(good(fleet_.registry().find(sample_identity(1)))->group, "hall-2");
  EXPECT_EQ(good(fleet_.registry().find(sample_identity(2)))->group, "hall-2");
  EXPECT_EQ(good(fleet_.registry().field().newest({"factory-a", "group:hall-2", "config"}, 1)).size(), 1U);
  EXPECT_GT(good(fleet_.registry().trust_epoch()), epoch) << "the gateway remembers groups for as long as the epoch stands";
}

}  // namespace
}  // namespace birthmark::testing
