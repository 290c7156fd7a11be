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

  [[nodiscard]] const char* sql() const { return sql_; }
  void bind(Statement& statement) const;  // the query must outlive the step

 private:
  void set_prefix(const std::string& prefix);

  const core::DeviceFilter& filter_;
  core::RowId after_;
  std::size_t limit_;
  const char* sql_;
  // The external ids with the prefix: UUIDs as a closed range of octets, texts as a half-open range.
  Bytes first_uuid_;
  Bytes last_uuid_;
  std::string first_text_;
  std::string past_text_;
};

}  // namespace birthmark::store
