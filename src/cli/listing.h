// SPDX-License-Identifier: Apache-2.0
// Lists as the command line prints them: an aligned table, JSON (one object a line) or CSV (RFC 4180). Rows stream.
#pragma once

#include <iosfwd>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace CLI {
class App;
}

namespace birthmark::cli {

enum class ListFormat { table, json, csv };

struct Column {
  std::string_view name;
  std::size_t width = 0;  // of the table's column; longer values run over
};

// A cell: text, or nothing (empty in tables and CSV, null in JSON). Raw cells are written unquoted in JSON (numbers, booleans).
struct Cell {
  std::optional<std::string> text;
  bool raw = false;
};

class Listing {
 public:
  Listing(std::ostream& out, ListFormat format, std::vector<Column> columns);
  void row(const std::vector<Cell>& cells);

 private:
  void json_row(const std::vector<Cell>& cells);
  void csv_row(const std::vector<Cell>& cells);
  void table_row(const std::vector<Cell>& cells);

  std::ostream& out_;
  ListFormat format_;
  std::vector<Column> columns_;
};

// --format table|json|csv
void declare_format(CLI::App& command, ListFormat& format);

}  // namespace birthmark::cli
