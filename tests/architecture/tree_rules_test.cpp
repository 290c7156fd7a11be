// SPDX-License-Identifier: Apache-2.0
// The tree rules fed with small bad trees.
#include "tree_rules.h"

#include <gtest/gtest.h>

namespace birthmark::architecture {
namespace {

TEST(Links, ToFilesFoldersAndHeadingsResolve) {
  const Tree tree = {
      {"README.md",
       "[a](docs/start/first.md) [b](docs) [c](docs/start/first.md#the-second-step) [d](#top) [e](https://github.com/x)\n# Top\n"},
      {"docs/start/first.md", "# First\n## The `second` step\n[back](../../README.md)\n`[not](a-link)`\n```\n[nor](this)\n```\n"},
  };
  const Findings findings = check_links(tree);
  EXPECT_TRUE(findings.empty()) << to_string(findings.front());
}

TEST(Links, BrokenOnesAreFound) {
  const Tree tree = {
      {"README.md", "[a](docs/missing.md)\n[b](docs/there.md#nowhere)\n[c](/docs/there.md)\n"},
      {"docs/there.md", "# Somewhere\n[up](../../README.md)\n"},
  };
  EXPECT_EQ(check_links(tree).size(), 4U);
}

TEST(Addresses, OnlyThoseVouchedFor) {
  const std::string scheme = "https:";
  EXPECT_EQ(check_addresses({{"src/a.cpp", "// " + scheme + "//packages.somewhere.dev/x\n"}}).size(), 1U);
  EXPECT_TRUE(check_addresses({{"README.md", "https://gw.acme.example:8443 http://127.0.0.1:8000/sign https://github.com/a\n"}}).empty());
  EXPECT_TRUE(check_addresses({{"tests/data/x", scheme + "//packages.somewhere.dev/x\n"}}).empty());
}

TEST(MachinePaths, AreFoundWhereAPathBegins) {
  const std::string home = std::string("/ho") + "me/ada/x";
  EXPECT_EQ(check_machine_paths({{"docs/a.md", "see " + home + "\n"}}).size(), 1U);
  EXPECT_TRUE(check_machine_paths({{"docs/a.md", "see tests" + home + "\n"}}).empty());
}

TEST(LineEnds, AreClean) {
  EXPECT_EQ(check_line_ends({{"a.md", "x \ny\t\n"}}).size(), 2U);
  EXPECT_EQ(check_line_ends({{"a.md", "x"}}).size(), 1U);
  EXPECT_EQ(check_line_ends({{"a.md", "x\r\n"}}).size(), 1U);
  EXPECT_TRUE(check_line_ends({{"a.md", "x\n\n"}, {"empty", ""}}).empty());
}

TEST(CrashPoints, MustBeDescribed) {
  const SourceFile code{"src/store/a.cpp", "void f() { BIRTHMARK_CRASH_POINT(\"store.before_commit\"); }\n"};
  EXPECT_EQ(check_crash_points_documented({code}).size(), 1U);
  EXPECT_EQ(check_crash_points_documented({{"docs/reference/crash-points.md", "store.before_commit\n"}, code}).size(), 1U);
  EXPECT_TRUE(check_crash_points_documented({{"docs/reference/crash-points.md", "`store.before_commit`\n"}, code}).empty());
}

TEST(Settings, MustBeDescribed) {
  const SourceFile code{"src/app/config.cpp", "reader.text(\"listen\", a).choice<Rule>(\"device_id\", b).number(\"threads\", c);\n"};
  EXPECT_EQ(check_settings_documented({code}).size(), 3U);
  EXPECT_EQ(check_settings_documented({{"docs/reference/config.md", "| `listen` | x |\n| `device_id` | x |\n"}, code}).size(), 1U);
}

TEST(Commands, MustBeDescribed) {
  const SourceFile code{"src/cli/a.cpp", "group->add_subcommand(\"list\", \"...\");\n"};
  EXPECT_EQ(check_commands_documented({{"docs/reference/cli.md", "listing\n"}, code}).size(), 1U);
  EXPECT_TRUE(check_commands_documented({{"docs/reference/cli.md", "`birthmark device list`\n"}, code}).empty());
}

TEST(Anchors, AreMadeAsMarkdownViewersMakeThem) {
  EXPECT_EQ(anchor_of("The `second` step, really?"), "the-second-step-really");
}

}  // namespace
}  // namespace birthmark::architecture
