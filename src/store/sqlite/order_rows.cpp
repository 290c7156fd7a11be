// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/order_rows.h"

#include "store/sqlite/rows.h"

namespace birthmark::store {
namespace {

std::vector<std::string> split_lines(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    lines.emplace_back(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return lines;
}

}  // namespace

std::string join_lines(const std::vector<std::string>& lines) {
  std::string joined;
  for (const std::string& line : lines) joined.append(joined.empty() ? "" : "\n").append(line);
  return joined;
}

core::OrderRecord read_order(Statement& row) {
  core::OrderRecord order;
  order.row = row.integer(0);
  order.factory = row.text(1);
  order.name = row.text(2);
  order.state = static_cast<core::OrderState>(row.integer(3));
  order.lists_devices = row.integer(4) != 0;
  order.pattern = row.text(5);
  if (!row.is_null(6)) order.places = static_cast<std::uint64_t>(row.integer(6));
  order.hardware_ids = split_lines(row.text(7));
  order.from = read_optional_instant(row, 8);
  order.until = read_optional_instant(row, 9);
  if (!row.is_null(10)) order.production = row.integer(10) != 0;
  order.group = row.text(11);
  order.test = row.integer(12) != 0;
  if (!row.is_null(13)) order.valid_for = Duration(row.integer(13));
  order.created_at = from_unix_ms(row.integer(14));
  order.listed = static_cast<std::uint64_t>(row.integer(15));
  order.used = static_cast<std::uint64_t>(row.integer(16));
  return order;
}

void bind_order(Statement& insert, std::int64_t factory, const core::OrderRecord& order, const std::string& hardware_ids) {
  insert.bind(1, factory);
  insert.bind(2, std::string_view(order.name));
  insert.bind(3, static_cast<std::int64_t>(order.state));
  insert.bind(4, std::int64_t{order.lists_devices});
  insert.bind(5, std::string_view(order.pattern));
  order.places ? insert.bind(6, static_cast<std::int64_t>(*order.places)) : insert.bind_null(6);
  insert.bind(7, std::string_view(hardware_ids));
  bind_optional_instant(insert, 8, order.from);
  bind_optional_instant(insert, 9, order.until);
  order.production ? insert.bind(10, std::int64_t{*order.production}) : insert.bind_null(10);
  insert.bind(11, std::string_view(order.group));
  insert.bind(12, std::int64_t{order.test});
  order.valid_for ? insert.bind(13, std::int64_t{order.valid_for->count()}) : insert.bind_null(13);
  insert.bind(14, to_unix_ms(order.created_at));
}

}  // namespace birthmark::store
