// SPDX-License-Identifier: Apache-2.0
#include "cli/listing.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <map>
#include <ostream>

#include "base/text.h"

namespace birthmark::cli {
namespace {

// Control characters would let a device's name draw on an operator's terminal.
std::string printable(std::string_view text) {
  std::string clean(text);
  std::replace_if(clean.begin(), clean.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }, '?');
  return clean;
}

std::string csv_field(std::string_view text) {
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) return std::string(text);
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + '"';
}

}  // namespace

Listing::Listing(std::ostream& out, ListFormat format, std::vector<Column> columns)
    : out_(out), format_(format), columns_(std::move(columns)) {
  if (format_ == ListFormat::json) return;
  std::vector<Cell> heading;
  for (const Column& column : columns_) heading.push_back({std::string(column.name)});
  format_ == ListFormat::csv ? csv_row(heading) : table_row(heading);
}

void Listing::row(const std::vector<Cell>& cells) {
  switch (format_) {
    case ListFormat::table: return table_row(cells);
    case ListFormat::json: return json_row(cells);
    case ListFormat::csv: return csv_row(cells);
  }
}

void Listing::json_row(const std::vector<Cell>& cells) {
  std::string line = "{";
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    if (i > 0) line += ',';
    line += json_string(columns_[i].name);
    line += ':';
    const Cell& cell = cells[i];
    line += !cell.text ? "null" : cell.raw ? *cell.text : json_string(*cell.text);
  }
  out_ << line << "}\n";
}

void Listing::csv_row(const std::vector<Cell>& cells) {
  std::string line;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    if (i > 0) line += ',';
    line += csv_field(cells[i].text.value_or(""));
  }
  out_ << line << "\r\n";
}

void Listing::table_row(const std::vector<Cell>& cells) {
  std::string line;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    std::string field = printable(cells[i].text.value_or("-"));
    if (i + 1 < cells.size() && field.size() < columns_[i].width) field.resize(columns_[i].width, ' ');
    line += (i > 0 ? "  " : "") + field;
  }
  out_ << line << '\n';
}

void declare_format(CLI::App& command, ListFormat& format) {
  static const std::map<std::string, ListFormat> kNames{{"table", ListFormat::table}, {"json", ListFormat::json}, {"csv", ListFormat::csv}};
  command.add_option("--format", format, "table, json (one object a line) or csv")
      ->transform(CLI::CheckedTransformer(kNames).description(""))
      ->type_name("FORMAT");
}

}  // namespace birthmark::cli
