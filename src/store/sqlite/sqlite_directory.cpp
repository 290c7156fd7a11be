// SPDX-License-Identifier: Apache-2.0
// Lists of devices by name, group and last contact: the way in is chosen by what the query fixes.
#include "store/sqlite/sqlite_directory.h"

#include <algorithm>

#include "store/sqlite/directory_sql.h"
#include "store/sqlite/rows.h"
#include "store/sqlite/sql.h"

namespace birthmark::store {

using core::DeviceOrder;
using core::DirectoryPage;
using core::DirectoryQuery;

namespace {

constexpr std::uint8_t kBeyondText[] = {0xff};  // sorts after every text

// SQLite's GLOB says [^x] where the shell says [!x].
std::string glob_of(std::string_view pattern) {
  std::string glob(pattern);
  for (std::size_t at = glob.find("[!"); at != std::string::npos; at = glob.find("[!", at + 2)) glob[at + 1] = '^';
  return glob;
}

// A query as the statements want it. Must outlive the step.
class Bound {
 public:
  Bound(const DirectoryQuery& query, std::int64_t factory) : query_(query), factory_(factory) {
    descending_ = query.order == DeviceOrder::name_descending || query.order == DeviceOrder::last_seen_descending;
    if (!query.name.empty()) bound_name(query.name);
    if (!query.after_name) return;
    if (!descending_)
      first_ = std::max(first_, *query.after_name);
    else if (!last_ || *query.after_name < *last_)
      last_ = *query.after_name;
  }

  [[nodiscard]] bool filters() const { return !query_.name.empty() || query_.group || query_.owner || query_.production; }
  [[nodiscard]] bool by_time() const { return query_.order == DeviceOrder::last_seen || query_.order == DeviceOrder::last_seen_descending; }
  // Few: the number of those that fit is known to be small.
  [[nodiscard]] const char* page_sql(bool few) const {
    if (by_time() && few && query_.group) return descending_ ? sql::kFewOfGroupBySeenDown : sql::kFewOfGroupBySeen;
    if (by_time() && few) return descending_ ? sql::kFewBySeenDown : sql::kFewBySeen;
    if (by_time() && filters()) return descending_ ? sql::kManyBySeenDown : sql::kManyBySeen;
    if (by_time()) return descending_ ? sql::kDirectoryBySeenDown : sql::kDirectoryBySeen;
    if (query_.group) return descending_ ? sql::kDirectoryOfGroupDown : sql::kDirectoryOfGroup;
    return descending_ ? sql::kDirectoryByNameDown : sql::kDirectoryByName;
  }
  [[nodiscard]] const char* count_sql() const { return query_.group ? sql::kCountFittingOfGroup : sql::kCountFitting; }

  void bind_filter(Statement& statement) const {
    statement.bind(1, factory_);
    statement.bind(2, std::string_view(first_));
    if (last_)
      statement.bind(3, std::string_view(*last_));
    else
      statement.bind(3, ByteView(kBeyondText));
    bind_text(statement, 4, glob_.empty() ? nullptr : &glob_);
    if (query_.production)
      statement.bind(5, static_cast<std::int64_t>(*query_.production));
    else
      statement.bind_null(5);
    bind_text(statement, 6, query_.owner ? &*query_.owner : nullptr);
    statement.bind(7, static_cast<std::int64_t>(query_.or_without_owner));
    if (query_.group) statement.bind(12, std::string_view(*query_.group));
  }
  void bind_page(Statement& statement) const {
    bind_filter(statement);
    if (!by_time()) bind_position(statement);
    statement.bind(10, static_cast<std::int64_t>(query_.limit + 1));
    statement.bind(11, static_cast<std::int64_t>(query_.skip));
  }
  void bind_count(Statement& statement) const {
    bind_filter(statement);
    statement.bind(13, static_cast<std::int64_t>(core::DeviceDirectory::kCounted + 1));
  }

 private:
  static void bind_text(Statement& statement, int index, const std::string* text) {
    if (text != nullptr)
      statement.bind(index, std::string_view(*text));
    else
      statement.bind_null(index);
  }
  void bind_position(Statement& statement) const {
    if (query_.after_name)
      statement.bind(8, std::string_view(*query_.after_name));
    else if (descending_)
      statement.bind(8, ByteView(kBeyondText));
    else
      statement.bind(8, std::string_view());
    statement.bind(9, query_.after_name ? query_.after : descending_ ? INT64_MAX : 0);
  }
  void bound_name(const std::string& name) {
    if (!query_.is_pattern || name.find_first_of("*?[") == std::string::npos) {
      first_ = name;
      last_ = name;
      return;
    }
    glob_ = glob_of(name);
    first_ = name.substr(0, name.find_first_of("*?["));
    if (first_.empty()) return;
    std::string past = first_;
    while (!past.empty() && static_cast<unsigned char>(past.back()) == 0xffU) past.pop_back();
    if (past.empty()) return;
    past.back() = static_cast<char>(static_cast<unsigned char>(past.back()) + 1U);
    last_ = past;  // itself no match of the pattern
  }

  const DirectoryQuery& query_;
  const std::int64_t factory_;
  bool descending_ = false;
  std::string first_;
  std::optional<std::string> last_;
  std::string glob_;
};

Result<DirectoryPage> read_page(Statement& row, std::size_t limit) {
  DirectoryPage page;
  for (;;) {
    BIRTHMARK_TRY(const bool found, row.step());
    if (!found) return page;
    if (page.devices.size() == limit) {
      page.more = true;
      return page;
    }
    page.devices.push_back({read_summary(row), std::string(row.text(16))});
  }
}

core::DeviceGroup read_group(Statement& row, const std::string& factory) {
  core::DeviceGroup group;
  group.row = row.integer(0);
  group.factory = factory;
  group.name = row.text(1);
  group.description = row.text(2);
  group.created_at = from_unix_ms(row.integer(3));
  group.created_by = row.text(4);
  group.updated_at = from_unix_ms(row.integer(5));
  group.updated_by = row.text(6);
  return group;
}

}  // namespace

Result<DirectoryPage> SqliteDirectory::page(const DirectoryQuery& query) {
  const auto factory = writer_.factory_row(query.factory);
  if (!factory) return DirectoryPage{};
  if (query.denied) return denied_page(query, *factory);
  const Bound bound(query, *factory);
  const char* count_sql = bound.filters() ? bound.count_sql() : sql::kCountActive;
  BIRTHMARK_TRY(const std::uint64_t total, readers_.with(count_sql, [&](Statement& row) -> Result<std::uint64_t> {
    if (bound.filters())
      bound.bind_count(row);
    else
      row.bind(1, *factory);
    BIRTHMARK_CHECK(row.step());
    return static_cast<std::uint64_t>(row.integer(0));
  }));
  const bool counted = total <= kCounted;
  BIRTHMARK_TRY(auto page, readers_.with(bound.page_sql(bound.filters() && counted), [&](Statement& row) {
    bound.bind_page(row);
    return read_page(row, query.limit);
  }));
  page.total_is_least = bound.filters() && !counted;
  page.total = page.total_is_least ? kCounted : total;
  return page;
}

Result<DirectoryPage> SqliteDirectory::denied_page(const DirectoryQuery& query, std::int64_t factory) {
  BIRTHMARK_TRY(auto page, readers_.with(sql::kDirectoryDenied, [&](Statement& row) {
    row.bind(1, factory);
    row.bind(2, query.after);
    row.bind(3, static_cast<std::int64_t>(query.limit + 1));
    row.bind(4, static_cast<std::int64_t>(query.skip));
    return read_page(row, query.limit);
  }));
  BIRTHMARK_TRY(page.total, readers_.with(sql::kCountDenied, [&](Statement& row) -> Result<std::uint64_t> {
    row.bind(1, factory);
    BIRTHMARK_CHECK(row.step());
    return static_cast<std::uint64_t>(row.integer(0));
  }));
  return page;
}

Result<std::string> SqliteDirectory::owner_of(core::RowId device) {
  return readers_.with(sql::kOwnerOf, [&](Statement& row) -> Result<std::string> {
    row.bind(1, device);
    BIRTHMARK_TRY(const bool found, row.step());
    return found ? std::string(row.text(0)) : std::string();
  });
}

Result<std::vector<core::DeviceGroup>> SqliteDirectory::groups(const std::string& factory) {
  const auto row_of_factory = writer_.factory_row(factory);
  if (!row_of_factory) return std::vector<core::DeviceGroup>();
  BIRTHMARK_TRY(auto all, readers_.with(sql::kGroups, [&](Statement& row) -> Result<std::vector<core::DeviceGroup>> {
    row.bind(1, *row_of_factory);
    std::vector<core::DeviceGroup> made;
    for (;;) {
      BIRTHMARK_TRY(const bool found, row.step());
      if (!found) return made;
      made.push_back(read_group(row, factory));
    }
  }));
  BIRTHMARK_TRY(const auto used, readers_.with(sql::kGroupsInUse, [&](Statement& row) -> Result<std::vector<std::string>> {
    row.bind(1, *row_of_factory);
    std::vector<std::string> names;
    for (;;) {
      BIRTHMARK_TRY(const bool found, row.step());
      if (!found) return names;
      names.emplace_back(row.text(0));
    }
  }));
  const std::size_t made = all.size();
  for (const std::string& name : used) {
    const auto same = [&](const core::DeviceGroup& group) { return group.name == name; };
    if (std::any_of(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(made), same)) continue;
    core::DeviceGroup group;
    group.factory = factory;
    group.name = name;
    all.push_back(std::move(group));
  }
  std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  return all;
}

Result<std::optional<core::DeviceGroup>> SqliteDirectory::group(const std::string& factory, const std::string& name) {
  BIRTHMARK_TRY(const auto all, groups(factory));
  const auto found = std::find_if(all.begin(), all.end(), [&](const core::DeviceGroup& group) { return group.name == name; });
  if (found == all.end()) return std::nullopt;
  return *found;
}

}  // namespace birthmark::store
