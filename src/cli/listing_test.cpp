// SPDX-License-Identifier: Apache-2.0
#include "cli/listing.h"

#include <gtest/gtest.h>

#include <sstream>

namespace birthmark::cli {
namespace {

std::string print(ListFormat format, const std::vector<Cell>& cells) {
  std::ostringstream out;
  Listing(out, format, {{"id", 4}, {"production", 10}, {"last_seen", 5}}).row(cells);
  return out.str();
}

TEST(Lists, JsonIsOneObjectALine) {
  EXPECT_EQ(print(ListFormat::json, {{"a\"b"}, {"true", true}, {}}), "{\"id\":\"a\\\"b\",\"production\":true,\"last_seen\":null}\n");
}

// RFC 4180.
TEST(Lists, CsvQuotesWhatNeedsIt) {
  EXPECT_EQ(print(ListFormat::csv, {{"a,\"b\""}, {"true", true}, {}}), "id,production,last_seen\r\n\"a,\"\"b\"\"\",true,\r\n");
}

TEST(Lists, TablesShowNoControlCharacters) {
  EXPECT_EQ(print(ListFormat::table, {{"a\x1b[2J"}, {"true", true}, {}}), "id    production  last_seen\na?[2J  true        -\n");
}

}  // namespace
}  // namespace birthmark::cli
