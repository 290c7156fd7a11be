// SPDX-License-Identifier: Apache-2.0
// Port: the fleet as its operators look for it: devices by name, group, owner and time, and the groups themselves. Foundries devices only;
// one of them in full is the Registry's. Adapter: store/sqlite. Reads complete inline; each is one short read transaction.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/ports/registry.h"

namespace birthmark::core {

enum class DeviceOrder : std::uint8_t { name, name_descending, last_seen, last_seen_descending };

// What is not set does not filter. Only active devices are listed, or only denied ones, in the order they came.
struct DirectoryQuery {
  std::string factory;
  DeviceOrder order = DeviceOrder::name;
  std::string name;         // empty: any
  bool is_pattern = false;  // the name is one of the shell's: *, ? and [a-z]
  std::optional<std::string> group;
  std::optional<std::string> owner;
  bool or_without_owner = false;  // with `owner`: those that nobody owns, too
  std::optional<bool> production;
  bool denied = false;
  // Where the page begins: so many devices are left out, then those up to and including this one (its name and row) in the order by name;
  // of denied ones, those up to this row.
  std::uint64_t skip = 0;
  std::optional<std::string> after_name;
  RowId after = 0;
  std::size_t limit = 1000;
};

struct DirectoryEntry {
  DeviceSummary device;
  std::string owner;  // a user's id; empty: the factory's owner
};

struct DirectoryPage {
  std::vector<DirectoryEntry> devices;
  bool more = false;
  std::uint64_t total = 0;
  bool total_is_least = false;  // there are at least so many: not all that fit the filter were counted
};

struct DeviceGroup {
  RowId row = 0;  // 0: devices are in it, and nobody described it
  std::string factory;
  std::string name;
  std::string description;
  Instant created_at;
  std::string created_by;
  Instant updated_at;
  std::string updated_by;
};

struct DeviceGroupChange {
  std::optional<std::string> name;
  std::optional<std::string> description;
};

class DeviceDirectory {
 public:
  virtual ~DeviceDirectory() = default;

  [[nodiscard]] virtual Result<DirectoryPage> page(const DirectoryQuery& query) = 0;
  [[nodiscard]] virtual Result<std::string> owner_of(RowId device) = 0;
  // not_found when the device is unknown.
  [[nodiscard]] virtual Task<Status> set_owner(DeviceIdentity identity, std::string owner, std::string audit_body) = 0;
  // Makes what was registered since the last call quick to list, at most `limit` devices. Not waited for.
  virtual void list_newcomers(std::size_t limit) = 0;

  // By name. Also those that devices are in without anybody having made them.
  [[nodiscard]] virtual Result<std::vector<DeviceGroup>> groups(const std::string& factory) = 0;
  [[nodiscard]] virtual Result<std::optional<DeviceGroup>> group(const std::string& factory, const std::string& name) = 0;
  // conflict when there is one of that name.
  [[nodiscard]] virtual Task<Result<DeviceGroup>> add_group(DeviceGroup group, std::string audit_body) = 0;
  // A new name takes the devices and their configuration along. not_found; conflict when the name is taken, or more than kMoved devices
  // would have to move.
  [[nodiscard]] virtual Task<Result<DeviceGroup>> change_group(DeviceGroup group, DeviceGroupChange change, std::string audit_body) = 0;
  // not_found; conflict while devices are in it.
  [[nodiscard]] virtual Task<Status> remove_group(std::string factory, std::string name, std::string audit_body) = 0;

  static constexpr std::size_t kMoved = 20'000;
  static constexpr std::uint64_t kCounted = 10'000;  // totals under a filter stop there
};

}  // namespace birthmark::core
