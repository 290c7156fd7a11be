// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/list_query.h"

#include "base/text.h"
#include "store/sqlite/sql.h"

namespace birthmark::store {
namespace {

constexpr std::int64_t kFewMatches = 4000;
constexpr std::string_view kUuidShape = "00000000-0000-0000-0000-000000000000";

// The UUID that a prefix of one becomes when every digit to come is `digit`.
std::optional<Uuid> complete_uuid(std::string_view prefix, char digit) {
  if (prefix.size() > kUuidShape.size()) return std::nullopt;
  std::string text(prefix);
  for (std::size_t i = prefix.size(); i < kUuidShape.size(); ++i) text.push_back(kUuidShape[i] == '-' ? '-' : digit);
  if (to_lower(text) != text) return std::nullopt;
  return parse_uuid(text);
}

// The first text that sorts after every text with this prefix; empty when there is none.
std::string past(std::string prefix) {
  while (!prefix.empty() && static_cast<unsigned char>(prefix.back()) == 0xffU) prefix.pop_back();
  if (!prefix.empty()) prefix.back() = static_cast<char>(static_cast<unsigned char>(prefix.back()) + 1U);
  return prefix;
}

}  // namespace

ListQuery::ListQuery(const core::DeviceFilter& filter, core::RowId after, std::size_t limit)
    : filter_(filter), after_(after), limit_(limit), text_(to_lower(filter.text)), sql_(sql::kListByRow) {
  if (!filter.id_prefix.empty()) set_prefix(filter.id_prefix);
  if (filter.status && *filter.status != core::DeviceStatus::active) sql_ = sql::kListNotActive;
}

bool ListQuery::wants_prefix_count() const {
  return sql_ == sql::kListByRow && !first_text_.empty();
}

Result<std::int64_t> ListQuery::count_prefix(Statement& statement) const {
  bind_prefix(statement, 1);
  statement.bind(5, kFewMatches);
  BIRTHMARK_CHECK(statement.step());
  return statement.integer(0);
}

void ListQuery::choose_by_prefix_count(std::int64_t matches) {
  if (matches < kFewMatches) sql_ = sql::kListByPrefix;
}

void ListQuery::bind_prefix(Statement& statement, int first) const {
  statement.bind(first, ByteView(first_uuid_));
  statement.bind(first + 1, ByteView(last_uuid_));
  statement.bind(first + 2, std::string_view(first_text_));
  statement.bind(first + 3, std::string_view(past_text_));
}

void ListQuery::set_prefix(const std::string& prefix) {
  const auto first = complete_uuid(prefix, '0');
  const auto last = complete_uuid(prefix, 'f');
  if (first && last) {
    first_uuid_ = to_bytes(*first);
    last_uuid_ = to_bytes(*last);
  } else {
    first_uuid_ = {1};  // an empty range: its end sorts before its beginning
    last_uuid_ = {0};
  }
  first_text_ = prefix;
  past_text_ = past(prefix);
}

void ListQuery::bind(Statement& statement) const {
  statement.bind(1, after_);
  const auto bind_number = [&statement](int index, const auto& value) {
    if (value)
      statement.bind(index, static_cast<std::int64_t>(*value));
    else
      statement.bind_null(index);
  };
  const auto bind_text = [&statement](int index, const std::optional<std::string>& value) {
    if (value)
      statement.bind(index, std::string_view(*value));
    else
      statement.bind_null(index);
  };
  const auto bind_moment = [&statement](int index, const std::optional<Instant>& value) {
    if (value)
      statement.bind(index, to_unix_ms(*value));
    else
      statement.bind_null(index);
  };
  bind_number(2, filter_.status);
  bind_number(3, filter_.ecosystem);
  for (int index = 4; index <= 7; ++index) statement.bind_null(index);
  if (!first_text_.empty()) bind_prefix(statement, 4);
  statement.bind(8, static_cast<std::int64_t>(limit_));
  bind_number(9, filter_.production);
  bind_text(10, filter_.hardware_id);
  bind_text(11, filter_.station);
  bind_text(12, filter_.group);
  if (filter_.key)
    statement.bind(13, filter_.key->view());
  else
    statement.bind_null(13);
  if (filter_.serial)
    statement.bind(14, filter_.serial->magnitude());
  else
    statement.bind_null(14);
  bind_moment(15, filter_.created_from);
  bind_moment(16, filter_.created_before);
  bind_moment(17, filter_.expires_before);
  if (text_.empty())
    statement.bind_null(18);
  else
    statement.bind(18, std::string_view(text_));
  bind_number(19, filter_.test);
}

}  // namespace birthmark::store
