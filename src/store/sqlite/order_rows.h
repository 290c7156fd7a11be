// SPDX-License-Identifier: Apache-2.0
// Between rows of production_order and OrderRecord.
#pragma once

#include <string>

#include "core/ports/orders.h"
#include "store/sqlite/statement.h"

namespace birthmark::store {

[[nodiscard]] std::string join_lines(const std::vector<std::string>& lines);

// Columns as BIRTHMARK_ORDER_COLUMNS of order_sql.h.
[[nodiscard]] core::OrderRecord read_order(Statement& row);
inline constexpr int kOrderColumns = 17;

// For kInsertOrder; what is bound is borrowed.
void bind_order(Statement& insert, std::int64_t factory, const core::OrderRecord& order, const std::string& hardware_ids);

}  // namespace birthmark::store
