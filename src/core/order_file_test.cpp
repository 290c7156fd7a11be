// SPDX-License-Identifier: Apache-2.0
#include "core/order_file.h"

#include <gtest/gtest.h>

#include "core/order_policy.h"

namespace birthmark::core {
namespace {

constexpr const char* kFirst = "28d32f3a-4387-4ecf-91ae-872d54289179";
constexpr const char* kSecond = "8a5f0b6e-1c53-4a5e-9d5c-0d6f2c1b7a90";

struct Judged {
  std::uint64_t number = 0;
  std::string id, name, hardware_id, problem;
};

// Fed in pieces of `step` octets: where a piece ends must not matter.
std::vector<Judged> read(OrderFileFormat format, std::string_view text, std::size_t step = 4096) {
  std::vector<Judged> lines;
  OrderFile file(format, "acme", DeviceIdRule::uuid);
  const auto take = [&](std::uint64_t number, OrderFile::Line line) {
    if (auto* entry = std::get_if<OrderEntry>(&line))
      lines.push_back({number, entry->external_id, entry->name, entry->hardware_id, {}});
    else
      lines.push_back({number, {}, {}, {}, std::get<std::string>(line)});
  };
  for (std::size_t at = 0; at < text.size(); at += step) file.feed(text.substr(at, step), take);
  file.finish(take);
  return lines;
}

TEST(OrderFile, IdsOneALineWithTheirNumbers) {
  const std::string text = std::string("# a comment\r\n") + kFirst + "\n\n  28D32F3A-4387-4ECF-91AE-872D54289178 \r\nnonsense\n" + kSecond;
  for (const std::size_t step : {1U, 7U, 4096U}) {
    const auto lines = read(OrderFileFormat::ids, text, step);
    ASSERT_EQ(lines.size(), 4U);
    EXPECT_EQ(lines[0].number, 2U);
    EXPECT_EQ(lines[0].id, kFirst);
    EXPECT_EQ(lines[1].number, 4U);
    EXPECT_EQ(lines[1].id, "28d32f3a-4387-4ecf-91ae-872d54289178") << "UUIDs compare in lower case";
    EXPECT_EQ(lines[2].number, 5U);
    EXPECT_NE(lines[2].problem, "");
    EXPECT_EQ(lines[3].number, 6U);
    EXPECT_EQ(lines[3].id, kSecond) << "the last line may have no end";
  }
}

TEST(OrderFile, CsvByTheNamesOfItsColumns) {
  const std::string text =
      std::string("\xef\xbb\xbfName,ID,hardware-id\r\n\"Pump, \"\"north\"\"\",") + kFirst + ",imx8mm\r\n," + kSecond + ",\n";
  const auto lines = read(OrderFileFormat::csv, text, 3);
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(lines[0].number, 2U);
  EXPECT_EQ(lines[0].name, "Pump, \"north\"");
  EXPECT_EQ(lines[0].hardware_id, "imx8mm");
  EXPECT_EQ(lines[1].id, kSecond);
  EXPECT_EQ(lines[1].name, "");
}

TEST(OrderFile, EachBadLineIsNamedAndTheOthersAreRead) {
  const std::string id = kFirst;
  const std::string text =
      "id,name\n" + id + "\n\"" + id + ",x\n" + id + ",a\"b\n\"" + id + "\"x,y\n" + id + ",\x01\n" + id + ",\xff\n" + kSecond + ",ok\n";
  const auto lines = read(OrderFileFormat::csv, text);
  ASSERT_EQ(lines.size(), 7U);
  for (std::size_t i = 0; i < 6; ++i) {
    EXPECT_EQ(lines[i].number, i + 2);
    EXPECT_NE(lines[i].problem, "") << i;
  }
  EXPECT_EQ(lines[6].id, kSecond);
}

TEST(OrderFile, AHeadingThatIsWrongIsTheOneProblem) {
  for (const char* heading : {"uuid,name", "name", "id,id", "id,colour", "\"id"}) {
    const auto lines = read(OrderFileFormat::csv, std::string(heading) + "\nx,y\nz,w\n");
    ASSERT_EQ(lines.size(), 1U) << heading;
    EXPECT_EQ(lines[0].number, 1U);
    EXPECT_NE(lines[0].problem, "");
  }
}

TEST(OrderFile, AnEndlessLineIsOneBadLineInConstantMemory) {
  const auto lines = read(OrderFileFormat::ids, std::string(100'000, 'x') + "\n" + kFirst + "\n", 1000);
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_NE(lines[0].problem.find("longer"), std::string::npos);
  EXPECT_EQ(lines[1].number, 2U);
  EXPECT_EQ(lines[1].id, kFirst);
}

TEST(OrderFile, AnEmptyFileHasNoLines) {
  EXPECT_TRUE(read(OrderFileFormat::ids, "").empty());
  EXPECT_TRUE(read(OrderFileFormat::csv, "\r\n\r\n").empty());
}

TEST(Glob, MatchesAsItReads) {
  EXPECT_TRUE(matches_glob("*", ""));
  EXPECT_TRUE(matches_glob("a*c?e", "abbbcde"));
  EXPECT_TRUE(matches_glob("28d3*", kFirst));
  EXPECT_TRUE(matches_glob("*-872d54289179", kFirst));
  EXPECT_FALSE(matches_glob("28d4*", kFirst));
  EXPECT_FALSE(matches_glob("", "a"));
  EXPECT_FALSE(matches_glob("a?", "a"));
  EXPECT_FALSE(matches_glob("a*b", "ac"));
  EXPECT_FALSE(matches_glob(std::string(200, '*') + "b", std::string(5000, 'a')));
}

}  // namespace
}  // namespace birthmark::core
