// SPDX-License-Identifier: Apache-2.0
// The commands of the documentation, run as they stand there: a page's blocks become one shell script, in their order. A comment in front
// of a block says what else it is:
//   <!-- settings of FILE -->  a [section] and lines for it; the server is started again with them
//   <!-- not run: WHY -->      what no test can run
// `birthmark serve` runs beside what follows; `lmp-device-register` is a stand-in of curl and openssl (docs_test_client.sh).
#include <gtest/gtest.h>

#include <sstream>

#include "child_process.h"
#include "server_process.h"

namespace birthmark::e2e {
namespace {

namespace fs = std::filesystem;

struct Block {
  std::string comment;  // the text between <!-- and -->
  std::string text;
};

std::string trimmed(std::string text) {
  const auto blank = [](char c) { return c == ' '; };
  while (!text.empty() && blank(text.back())) text.pop_back();
  text.erase(0, std::min(text.find_first_not_of(' '), text.size()));
  return text;
}

// Indented blocks; those within numbered lists are indented by eight.
std::vector<Block> blocks_of(const std::string& markdown) {
  std::vector<Block> blocks;
  std::istringstream lines(markdown);
  std::string line, comment;
  bool inside = false, after_blank = true;
  while (std::getline(lines, line)) {
    const bool indented = line.starts_with("    ");
    if (indented && (inside || after_blank)) {
      if (!inside) blocks.push_back({comment, {}});
      inside = true;
      blocks.back().text += line.substr(line.find_first_not_of(' ')) + '\n';
      continue;
    }
    if (line.empty() && inside) continue;
    inside = false;
    after_blank = line.empty();
    if (line.starts_with("<!--"))
      comment = trimmed(line.substr(4, line.find("-->") - 4));
    else if (!line.empty())
      comment.clear();
  }
  return blocks;
}

constexpr std::string_view kPrelude = R"(
set -eu
export BIRTHMARK_TEST_SERVER=
end_server() {
  if [ -n "$BIRTHMARK_TEST_SERVER" ]; then kill "$BIRTHMARK_TEST_SERVER"; wait "$BIRTHMARK_TEST_SERVER" || true; fi
  BIRTHMARK_TEST_SERVER=
}
trap end_server EXIT
serve() {
  end_server
  serve_arguments="$*"
  : > serve.out
  birthmark serve "$@" > serve.out 2> serve.err & BIRTHMARK_TEST_SERVER=$!
  for _ in $(seq 600); do
    if grep -q '^ready' serve.out; then return 0; fi
    kill -0 "$BIRTHMARK_TEST_SERVER" || { cat serve.err >&2; return 1; }
    sleep 0.05
  done
  return 1
}
# Puts the lines of a [section] into that section of a file, in place of what it says for the same names.
settle() {
  cat > settings.in
  awk 'NR == FNR { if (/^\[/) section = $0; else if (NF) { lines = lines $0 "\n"; names[$1] = 1 } next }
       /^\[/ { inside = ($0 == section); print; if (inside) printf "%s", lines; next }
       !(inside && $1 in names)' settings.in "$1" > settings.out
  cat settings.out > "$1"
}
serve_again() { if [ -n "$BIRTHMARK_TEST_SERVER" ]; then serve $serve_arguments; fi; }
)";

std::string script_of(const std::vector<Block>& blocks) {
  std::string script(kPrelude);
  for (const Block& block : blocks) {
    if (block.comment.starts_with("not run")) continue;
    if (block.comment.starts_with("settings of ")) {
      const std::string file = block.comment.substr(std::string_view("settings of ").size());
      script += "settle " + file + " <<'END_OF_LINES'\n" + block.text + "END_OF_LINES\nserve_again\n";
      continue;
    }
    std::istringstream lines(block.text);
    for (std::string line; std::getline(lines, line);)
      script += (line.starts_with("birthmark serve") ? line.substr(std::string_view("birthmark ").size()) : line) + '\n';
  }
  return script;
}

class Documentation : public ::testing::TestWithParam<const char*> {};

INSTANTIATE_TEST_SUITE_P(Pages, Documentation, ::testing::Values("docs/start/first-device.md", "docs/operating/registration.md"),
                         [](const auto& page) { return page.index == 0 ? "FirstDevice" : "Registration"; });

TEST_P(Documentation, EveryCommandRuns) {
  const std::vector<Block> blocks = blocks_of(read_text(fs::path(BIRTHMARK_SOURCE_DIR) / GetParam()));
  ASSERT_GE(blocks.size(), 3U);
  const ScratchDirectory scratch;
  const fs::path programs = scratch.path() / "programs";
  fs::create_directory(programs);
  fs::create_symlink(program(), programs / "birthmark");
  fs::create_symlink(fs::path(BIRTHMARK_SOURCE_DIR) / "tests/e2e/docs_test_client.sh", programs / "lmp-device-register");
  write_text(scratch.path() / "page.sh", script_of(blocks));
  const char* path = std::getenv("PATH");
  // A network of its own, where the pages' ports and addresses are free.
  const std::string enter =
      "cd '" + scratch.path().string() + "' && ip link set lo up && ip address add 10.20.0.2/16 dev lo && exec bash -x page.sh";
  const Outcome ran = run({"unshare", "--map-root-user", "--net", "bash", "-c", enter},
                          {"PATH=" + programs.string() + ":" + (path != nullptr ? path : "/usr/bin:/bin")});
  if (ran.exit_code != 0 && ran.errors.find("unshare:") != std::string::npos) GTEST_SKIP() << "no network namespaces here: " << ran.errors;
  EXPECT_EQ(ran.exit_code, 0) << ran.output << ran.errors;
}

}  // namespace
}  // namespace birthmark::e2e
