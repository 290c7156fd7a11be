// SPDX-License-Identifier: Apache-2.0
// Port: production orders, and how many of each have been made. Adapters: store/sqlite, store/memory; both pass tests/contract. Counting
// itself happens inside Registry::record (Preconditions::order), so that an order's counter and its devices are one transaction.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/ports/registry.h"

namespace birthmark::core {

// The numbers are stored; they never change.
enum class OrderState : std::uint8_t {
  importing = 1,  // its list of devices is not complete: nobody registers on it
  open = 2,
  closed = 3,
};
[[nodiscard]] std::string_view to_string(OrderState state);

// So many devices of a kind, to be registered in a span of time.
struct OrderRecord {
  RowId row = 0;
  std::string factory;
  std::string name;  // unique in its factory
  OrderState state = OrderState::open;
  bool lists_devices = false;             // only ids on its list may register
  std::string pattern;                    // a glob over device ids; empty: any
  std::optional<std::uint64_t> places;    // how many may register; empty: as many as it lists, or no limit
  std::vector<std::string> hardware_ids;  // empty: any
  std::optional<Instant> from;
  std::optional<Instant> until;    // exclusive
  std::optional<bool> production;  // empty: the device says
  std::string group;
  bool test = false;                    // throw-away identities of a test team
  std::optional<Duration> valid_for{};  // of its certificates, instead of the configured validity
  Instant created_at;
  std::uint64_t listed = 0;
  std::uint64_t used = 0;
};

// A device on an order's list.
struct OrderEntry {
  std::string external_id;  // as identify() made it
  std::string name;         // empty: what the device says
  std::string hardware_id;  // empty: any
};

struct OrderOffer {
  OrderRecord order;
  std::optional<OrderEntry> entry;  // when the order lists the device
};

// What the orders say of one identity.
struct OrderView {
  std::optional<OrderRecord> claimed;  // it is counted in this one already
  std::vector<OrderOffer> offers;      // those that list it, then every open one without a list; the oldest first
};

// A certificate whose answer was never acknowledged.
struct UnseenDevice {
  DeviceIdentity identity;
  RowId certificate = 0;
  std::string station;
  Instant issued_at;
};

class Orders {
 public:
  virtual ~Orders() = default;

  // conflict when the name is taken. One that is `importing` is not in effect yet, and has no audit record: its audit_body is empty.
  [[nodiscard]] virtual Task<Result<OrderRecord>> create_order(OrderRecord order, std::string audit_body) = 0;
  // No more registrations on it. Closing a closed one changes nothing.
  [[nodiscard]] virtual Task<Result<OrderRecord>> close_order(RowId order, std::string audit_body) = 0;
  [[nodiscard]] virtual Result<std::vector<OrderRecord>> orders() = 0;  // the oldest first
  [[nodiscard]] virtual Result<OrderView> view(const DeviceIdentity& identity) = 0;

  // A list is staged in pieces and takes effect at once, or never. Several imports may follow each other.
  [[nodiscard]] virtual Task<Result<RowId>> begin_import(RowId order) = 0;
  // The indexes of entries that the order lists already, or that stand twice in `entries`; those are not added.
  [[nodiscard]] virtual Task<Result<std::vector<std::size_t>>> add_entries(RowId import, std::vector<OrderEntry> entries) = 0;
  // All of it takes effect; an order that was importing opens.
  [[nodiscard]] virtual Task<Result<OrderRecord>> finish_import(RowId import, std::string audit_body) = 0;
  // Takes back at most `limit` entries of an import that was not finished; false: there are more. An order that was only made for it goes
  // with its last entry.
  [[nodiscard]] virtual Task<Result<bool>> discard_import(RowId import, std::size_t limit) = 0;
  // Imports that nobody finished, of one order.
  [[nodiscard]] virtual Result<std::vector<RowId>> unfinished_imports(RowId order) = 0;

  // Devices whose newest certificate was issued before `before` and never acknowledged, after certificate `after`.
  [[nodiscard]] virtual Result<std::vector<UnseenDevice>> unseen(Instant before, const std::string& station, RowId after,
                                                                 std::size_t limit) = 0;
  // Released if that is still so, and its place in an order is free again; false when it was seen since.
  [[nodiscard]] virtual Task<Result<bool>> release_unseen(DeviceIdentity identity, RowId certificate, std::string audit_body) = 0;
};

}  // namespace birthmark::core
