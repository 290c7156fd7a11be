// SPDX-License-Identifier: Apache-2.0
// The rules applied to this very tree. What they mean is in source_rules.h and tree_rules.h.
#include <gtest/gtest.h>

#include <algorithm>

#include "source_rules.h"
#include "tree_rules.h"

namespace birthmark::architecture {
namespace {

const Tree& this_tree() {
  static const Tree tree = read_tree(BIRTHMARK_SOURCE_DIR);
  return tree;
}

// The examples of the rules' own tests are bad on purpose.
bool is_bad_example(const std::string& path) {
  return path.starts_with("tests/architecture/") && path.ends_with("_rules_test.cpp");
}

std::vector<SourceFile> our_sources() {
  std::vector<SourceFile> sources;
  for (const SourceFile& file : this_tree()) {
    if (is_source(file.path) && !is_bad_example(file.path)) sources.push_back(file);
  }
  return sources;
}

void expect_none(const Findings& findings) {
  for (const Finding& finding : findings) ADD_FAILURE() << to_string(finding);
}

TEST(ThisTree, IsTheOneWeThinkItIs) {
  const auto is_there = [](std::string_view path) {
    return std::any_of(this_tree().begin(), this_tree().end(), [&](const SourceFile& file) { return file.path == path; });
  };
  EXPECT_TRUE(is_there("README.md"));
  EXPECT_TRUE(is_there("src/base/result.h"));
  EXPECT_GT(our_sources().size(), 20U);
}

TEST(ThisTree, EverySourceFileObeysTheRules) {
  for (const SourceFile& file : our_sources()) expect_none(check_source(file));
}

TEST(ThisTree, AtMostSixUnitsPayForBeastOrAllOfAsio) {
  const auto sources = our_sources();
  const auto heavy = std::count_if(sources.begin(), sources.end(), [](const SourceFile& file) { return includes_heavy_header(file); });
  EXPECT_LE(heavy, 6);
}

TEST(ThisTree, NineOfTenFunctionsFitOnAScreen) {
  constexpr std::size_t kScreen = 45;
  constexpr std::size_t kLongest = 90;
  std::size_t all = 0;
  std::vector<FunctionLength> beyond;
  for (const SourceFile& file : our_sources()) {
    if (!file.path.starts_with("src/") || file.path.ends_with("_test.cpp")) continue;
    for (const FunctionLength& function : measure_functions(file)) {
      ++all;
      if (function.lines > kScreen) beyond.push_back(function);
      EXPECT_LE(function.lines, kLongest) << function.path << ":" << function.line;
    }
  }
  std::string list;
  for (const FunctionLength& f : beyond) list += f.path + ":" + std::to_string(f.line) + " " + std::to_string(f.lines) + " lines\n";
  EXPECT_LE(beyond.size() * 10, all) << list;
}

TEST(ThisTree, EveryLinkOfTheDocumentsResolves) {
  expect_none(check_links(this_tree()));
}

TEST(ThisTree, NamesOnlyAddressesSomebodyVouchedFor) {
  expect_none(check_addresses(this_tree()));
}

TEST(ThisTree, NamesNoMachine) {
  expect_none(check_machine_paths(this_tree()));
}

TEST(ThisTree, HasCleanLineEnds) {
  expect_none(check_line_ends(this_tree()));
}

TEST(ThisTree, DescribesEverySetting) {
  expect_none(check_settings_documented(this_tree()));
}

TEST(ThisTree, DescribesEveryCommand) {
  expect_none(check_commands_documented(this_tree()));
}

TEST(ThisTree, DescribesEveryCrashPoint) {
  expect_none(check_crash_points_documented(this_tree()));
}

}  // namespace
}  // namespace birthmark::architecture
