// SPDX-License-Identifier: Apache-2.0
// What operators do with production orders, each step with its audit record. Called by the command line and the admin listener.
#pragma once

#include <functional>
#include <string>

#include "core/lifecycle.h"
#include "core/ports/clock.h"
#include "core/ports/orders.h"

namespace birthmark::core {

// A list on its way into an order.
struct StagedOrder {
  OrderRecord order;
  RowId import = 0;
  bool fresh = false;  // the order comes into being with its list
};

class OrderKeeper {
 public:
  OrderKeeper(Orders& orders, const Clock& clock) : orders_(orders), clock_(clock) {}

  // not_found when there is none of that name.
  [[nodiscard]] Result<OrderRecord> find(const std::string& factory, const std::string& name);
  // One without a list. invalid when its parts do not fit together.
  [[nodiscard]] Task<Result<OrderRecord>> create(OrderRecord order, OperatorAct act);
  [[nodiscard]] Task<Result<OrderRecord>> close(std::string factory, std::string name, OperatorAct act);

  // One that comes into being with its list, or a list for one that is there. What an earlier, interrupted import left is cleared away.
  [[nodiscard]] Task<Result<StagedOrder>> stage(OrderRecord order);
  [[nodiscard]] Task<Result<StagedOrder>> stage_more(std::string factory, std::string name);
  // The whole list takes effect, or nothing of it ever was.
  [[nodiscard]] Task<Result<OrderRecord>> finish(StagedOrder staged, std::uint64_t entries, OperatorAct act);
  [[nodiscard]] Task<Status> give_up(RowId import);

  // Frees identities whose certificate was issued before `before`, by `station` (empty: any), and never acknowledged. How many.
  [[nodiscard]] Task<Result<std::uint64_t>> release_unseen(Instant before, std::string station, OperatorAct act);

 private:
  [[nodiscard]] Task<Status> clear_leftovers(OrderRecord order);

  Orders& orders_;
  const Clock& clock_;
};

}  // namespace birthmark::core
