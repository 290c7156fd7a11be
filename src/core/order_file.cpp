// SPDX-License-Identifier: Apache-2.0
#include "core/order_file.h"

#include <algorithm>

#include "base/text.h"

namespace birthmark::core {
namespace {

constexpr std::size_t kMaxLineBytes = 4096;
constexpr std::size_t kMaxNameBytes = 256;

std::string_view without_line_end(std::string_view line) {
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

bool has_control_character(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

// One field off the front of `line`, its comma too; `more` tells whether there was one.
Result<std::string> take_field(std::string_view& line, bool& more) {
  std::string field;
  if (!line.starts_with('"')) {
    const std::size_t comma = line.find(',');
    field = line.substr(0, comma);
    more = comma != std::string_view::npos;
    line.remove_prefix(more ? comma + 1 : line.size());
    if (field.find('"') != std::string::npos) return fail(ErrorCode::invalid, "a quote inside a field that is not quoted");
    return field;
  }
  line.remove_prefix(1);
  for (;;) {
    const std::size_t quote = line.find('"');
    if (quote == std::string_view::npos) return fail(ErrorCode::invalid, "a quoted field does not end on its line");
    field += line.substr(0, quote);
    line.remove_prefix(quote + 1);
    if (!line.starts_with('"')) break;
    field += '"';
    line.remove_prefix(1);
  }
  more = line.starts_with(',');
  if (!more && !line.empty()) return fail(ErrorCode::invalid, "characters after a quoted field");
  if (more) line.remove_prefix(1);
  return field;
}

Result<std::vector<std::string>> split_csv(std::string_view line) {
  std::vector<std::string> fields;
  for (bool more = true; more;) {
    BIRTHMARK_TRY(std::string field, take_field(line, more));
    fields.push_back(std::move(field));
  }
  return fields;
}

}  // namespace

OrderFile::OrderFile(OrderFileFormat format, std::string factory, DeviceIdRule rule)
    : format_(format), factory_(std::move(factory)), rule_(rule) {}

void OrderFile::feed(std::string_view octets, const Take& take) {
  while (!octets.empty()) {
    const std::size_t end = octets.find('\n');
    const std::string_view piece = octets.substr(0, end);
    too_long_ = too_long_ || unfinished_.size() + piece.size() > kMaxLineBytes;
    if (too_long_)
      unfinished_.clear();
    else
      unfinished_ += piece;
    if (end == std::string_view::npos) return;
    octets.remove_prefix(end + 1);
    finish(take);
  }
}

void OrderFile::finish(const Take& take) {
  if (unfinished_.empty() && !too_long_) {
    ++number_;  // an empty line, or the end
    return;
  }
  const std::string line = std::exchange(unfinished_, {});
  ++number_;
  if (std::exchange(too_long_, false)) return take(number_, "it is longer than " + std::to_string(kMaxLineBytes) + " bytes");
  read_line(without_line_end(line), take);
}

void OrderFile::read_line(std::string_view line, const Take& take) {
  constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
  if (number_ == 1 && line.starts_with(kByteOrderMark)) line.remove_prefix(kByteOrderMark.size());
  if (trimmed(line).empty()) return;
  if (hopeless_) return;
  if (format_ == OrderFileFormat::csv && columns_.empty()) {
    if (auto heading = read_heading(line); !heading) {
      hopeless_ = true;
      take(number_, heading.error().public_message);
    }
    return;
  }
  if (format_ == OrderFileFormat::ids && line.starts_with('#')) return;
  auto entry = format_ == OrderFileFormat::ids ? checked({std::string(trimmed(line)), {}, {}}) : read_fields(line);
  entry ? take(number_, std::move(*entry)) : take(number_, std::move(entry.error().public_message));
}

Status OrderFile::read_heading(std::string_view line) {
  BIRTHMARK_TRY(const auto names, split_csv(line));
  std::vector<Column> columns;
  for (const std::string& written : names) {
    const std::string name = to_lower(trimmed(written));
    Column column = Column::id;
    if (name == "name")
      column = Column::name;
    else if (name == "hardware-id" || name == "hardware_id")
      column = Column::hardware_id;
    else if (name != "id")
      return fail(ErrorCode::invalid, "unknown column '" + written + "': the first line names the columns id, name and hardware-id");
    if (std::find(columns.begin(), columns.end(), column) != columns.end())
      return fail(ErrorCode::invalid, "column '" + name + "' stands twice");
    columns.push_back(column);
  }
  if (std::find(columns.begin(), columns.end(), Column::id) == columns.end()) return fail(ErrorCode::invalid, "there is no column 'id'");
  columns_ = std::move(columns);
  return {};
}

Result<OrderEntry> OrderFile::read_fields(std::string_view line) const {
  BIRTHMARK_TRY(auto fields, split_csv(line));
  if (fields.size() != columns_.size()) {
    return fail(ErrorCode::invalid,
                "it has " + std::to_string(fields.size()) + " fields, the first line names " + std::to_string(columns_.size()));
  }
  OrderEntry entry;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    switch (columns_[i]) {
      case Column::id: entry.external_id = trimmed(fields[i]); break;
      case Column::name: entry.name = std::move(fields[i]); break;
      case Column::hardware_id: entry.hardware_id = trimmed(fields[i]); break;
    }
  }
  return checked(std::move(entry));
}

Result<OrderEntry> OrderFile::checked(OrderEntry entry) const {
  BIRTHMARK_TRY(auto identity, identify(factory_, Ecosystem::foundries, entry.external_id, rule_));
  for (const std::string* text : {&entry.name, &entry.hardware_id}) {
    if (text->size() > kMaxNameBytes) return fail(ErrorCode::invalid, "a name or hardware id is longer than 256 bytes");
    if (!is_utf8(*text) || has_control_character(*text))
      return fail(ErrorCode::invalid, "a name or hardware id is not UTF-8 text without control characters");
  }
  entry.external_id = std::move(identity.external_id);
  return entry;
}

}  // namespace birthmark::core
