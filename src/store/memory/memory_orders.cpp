// SPDX-License-Identifier: Apache-2.0
#include "store/memory/memory_orders.h"

#include <algorithm>

#include "core/order_policy.h"
#include "store/registry_rules.h"

namespace birthmark::store {

using core::OrderState;
using core::RowId;

Result<core::OrderRecord> MemoryOrders::create(core::OrderRecord order) {
  const bool taken = std::any_of(orders_.begin(), orders_.end(), [&](const auto& known) {
    return known.second.factory == order.factory && known.second.name == order.name;
  });
  if (taken) return order_taken(order.name);
  order.row = ++last_order_;
  return orders_.emplace(order.row, std::move(order)).first->second;
}

Result<core::OrderRecord> MemoryOrders::close(RowId order, bool& changed) {
  const auto known = orders_.find(order);
  if (known == orders_.end()) return unknown_order();
  changed = known->second.state != OrderState::closed;
  known->second.state = OrderState::closed;
  return known->second;
}

std::vector<core::OrderRecord> MemoryOrders::all() const {
  std::vector<core::OrderRecord> found;
  for (const auto& [row, order] : orders_) found.push_back(order);
  return found;
}

core::OrderView MemoryOrders::view(const core::DeviceIdentity& identity) const {
  core::OrderView found;
  if (const auto claim = claims_.find(identity); claim != claims_.end()) {
    found.claimed = orders_.at(claim->second);
    return found;
  }
  for (const auto& [row, order] : orders_) {
    for (const auto& [number, import] : imports_) {
      const auto entry = import.entries.find(identity.external_id);
      if (import.complete && import.order == row && order.factory == identity.factory && entry != import.entries.end())
        found.offers.push_back({order, entry->second});
    }
  }
  for (const auto& [row, order] : orders_) {
    if (order.factory == identity.factory && order.state == OrderState::open && !order.lists_devices)
      found.offers.push_back({order, std::nullopt});
  }
  return found;
}

Result<RowId> MemoryOrders::begin_import(RowId order) {
  if (!orders_.contains(order)) return unknown_order();
  imports_[++last_import_].order = order;
  return last_import_;
}

bool MemoryOrders::listed(RowId order, const std::string& external_id) const {
  return std::any_of(imports_.begin(), imports_.end(),
                     [&](const auto& import) { return import.second.order == order && import.second.entries.contains(external_id); });
}

Result<std::vector<std::size_t>> MemoryOrders::add_entries(RowId import, const std::vector<core::OrderEntry>& entries) {
  const auto staged = imports_.find(import);
  if (staged == imports_.end() || staged->second.complete) return unknown_import();
  std::vector<std::size_t> refused;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (listed(staged->second.order, entries[i].external_id))
      refused.push_back(i);
    else
      staged->second.entries.emplace(entries[i].external_id, entries[i]);
  }
  return refused;
}

Result<core::OrderRecord> MemoryOrders::finish_import(RowId import) {
  const auto staged = imports_.find(import);
  if (staged == imports_.end() || staged->second.complete) return unknown_import();
  staged->second.complete = true;
  core::OrderRecord& order = orders_.at(staged->second.order);
  order.listed += staged->second.entries.size();
  if (order.state == OrderState::importing) order.state = OrderState::open;
  return order;
}

bool MemoryOrders::discard_import(RowId import, std::size_t limit) {
  const auto staged = imports_.find(import);
  if (staged == imports_.end() || staged->second.complete) return true;
  auto& entries = staged->second.entries;
  const bool more = entries.size() >= limit;
  for (std::size_t i = 0; i < limit && !entries.empty(); ++i) entries.erase(entries.begin());
  if (more) return false;
  const RowId order = staged->second.order;
  imports_.erase(staged);
  const bool others = std::any_of(imports_.begin(), imports_.end(), [&](const auto& other) { return other.second.order == order; });
  if (!others && orders_.at(order).state == OrderState::importing) orders_.erase(order);
  return true;
}

std::vector<RowId> MemoryOrders::unfinished_imports(RowId order) const {
  std::vector<RowId> found;
  for (const auto& [row, import] : imports_)
    if (import.order == order && !import.complete) found.push_back(row);
  return found;
}

bool MemoryOrders::take_place(const core::DeviceIdentity& identity, RowId order, Instant at) {
  if (claims_.contains(identity)) return true;
  const auto known = orders_.find(order);
  if (known == orders_.end() || core::why_not_open(known->second, at)) return false;
  ++known->second.used;
  claims_.emplace(identity, order);
  return true;
}

bool MemoryOrders::is_test(const core::DeviceIdentity& identity) const {
  const auto claim = claims_.find(identity);
  if (claim == claims_.end()) return false;
  const auto order = orders_.find(claim->second);
  return order != orders_.end() && order->second.test;
}

void MemoryOrders::free_place(const core::DeviceIdentity& identity) {
  const auto claim = claims_.find(identity);
  if (claim == claims_.end()) return;
  --orders_.at(claim->second).used;
  claims_.erase(claim);
}

}  // namespace birthmark::store
