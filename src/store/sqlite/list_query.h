// SPDX-License-Identifier: Apache-2.0
// Chooses the way in for one page of the device list and binds the filter to it.
#pragma once

#include <string>

#include "core/ports/registry.h"
#include "store/sqlite/statement.h"

namespace birthmark::store {

class ListQuery {
 public:
  ListQuery(const core::DeviceFilter& filter, core::RowId after, std::size_t limit);

  // A prefix that few match is found through the index; of many, the rows in order fill a page sooner than sorting all of them.
  [[nodiscard]] bool wants_prefix_count() const;
  [[nodiscard]] Result<std::int64_t> count_prefix(Statement& statement) const;
  void choose_by_prefix_count(std::int64_t matches);

  [[nodiscard]] const char* sql() const { return sql_; }
  void bind(Statement& statement) const;  // the query must outlive the step

 private:
  void set_prefix(const std::string& prefix);
  void bind_prefix(Statement& statement, int first) const;

  const core::DeviceFilter& filter_;
  core::RowId after_;
  std::size_t limit_;
  std::string text_;  // lower case
  const char* sql_;
  // The external ids with the prefix: UUIDs as a closed range of octets, texts as a half-open range.
  Bytes first_uuid_;
  Bytes last_uuid_;
  std::string first_text_;
  std::string past_text_;
};

}  // namespace birthmark::store
