// SPDX-License-Identifier: Apache-2.0
// The part of the memory registry that keeps production orders. Not thread-safe: the registry holds its lock around every call.
#pragma once

#include <map>
#include <vector>

#include "core/ports/orders.h"

namespace birthmark::store {

class MemoryOrders {
 public:
  [[nodiscard]] Result<core::OrderRecord> create(core::OrderRecord order);
  [[nodiscard]] Result<core::OrderRecord> close(core::RowId order, bool& changed);
  [[nodiscard]] std::vector<core::OrderRecord> all() const;
  [[nodiscard]] core::OrderView view(const core::DeviceIdentity& identity) const;

  [[nodiscard]] Result<core::RowId> begin_import(core::RowId order);
  [[nodiscard]] Result<std::vector<std::size_t>> add_entries(core::RowId import, const std::vector<core::OrderEntry>& entries);
  [[nodiscard]] Result<core::OrderRecord> finish_import(core::RowId import);
  [[nodiscard]] bool discard_import(core::RowId import, std::size_t limit);
  [[nodiscard]] std::vector<core::RowId> unfinished_imports(core::RowId order) const;

  // False: the order takes no more.
  [[nodiscard]] bool take_place(const core::DeviceIdentity& identity, core::RowId order, Instant at);
  void free_place(const core::DeviceIdentity& identity);
  [[nodiscard]] bool is_test(const core::DeviceIdentity& identity) const;

 private:
  struct Import {
    core::RowId order = 0;
    bool complete = false;
    std::map<std::string, core::OrderEntry> entries;
  };
  [[nodiscard]] bool listed(core::RowId order, const std::string& external_id) const;

  std::map<core::RowId, core::OrderRecord> orders_;
  std::map<core::RowId, Import> imports_;
  std::map<core::DeviceIdentity, core::RowId> claims_;
  core::RowId last_order_ = 0;
  core::RowId last_import_ = 0;
};

}  // namespace birthmark::store
