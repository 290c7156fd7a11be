// SPDX-License-Identifier: Apache-2.0
// The commands of the documentation, run as they stand there: a page's blocks become one shell script, in their order. A comment in front
// of a block says what else it is:
//   <!-- settings of FILE -->  a [section] and lines for it; the server is started again with them
//   <!-- not run: WHY -->      what no test can run
//   <!-- exit 1 -->            commands of which the last ends with 1
// and one at the beginning of a page, on what its commands run, with words of theirs and what stands for them here:
//   <!-- run on a factory with a device, DIR=factory ID=$id -->
// `birthmark serve` runs beside what follows; `lmp-device-register` is a stand-in of curl and openssl (docs_test_client.sh).
#include <gtest/gtest.h>

#include <cctype>
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
end_all() {
  end_server
  for left in $(jobs -p); do kill "$left" 2> others.err || true; done
}
trap end_all EXIT
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
# What pages that do not begin with nothing begin with: a server with a registered device.
a_factory_with_a_device() {
  birthmark init factory --factory acme --gateway-dns gw.example.com --ostree-dns ostree.example.com
  serve --dir factory
  birthmark demo --dir factory --url http://127.0.0.1:8000/sign --out demo
  id=$(birthmark device list --dir factory --format json --limit 1 | jq -r .id)
  head=$(birthmark audit head --dir factory)
  echo a-token > token-from-the-cloud
}
serve_again() { if [ -n "$BIRTHMARK_TEST_SERVER" ]; then serve $serve_arguments; fi; }
)";

bool is_word_character(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-' || c == '$';
}

// `word` wherever it stands alone.
std::string replaced(const std::string& text, const std::string& word, const std::string& with) {
  std::string result;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t found = text.find(word, at);
    if (found == std::string::npos) return result + text.substr(at);
    const std::size_t end = found + word.size();
    const bool alone = (found == 0 || !is_word_character(text[found - 1])) && (end == text.size() || !is_word_character(text[end]));
    result += text.substr(at, found - at) + (alone ? with : word);
    at = end;
  }
  return result;
}

// What the page's first comment says: a beginning other than nothing, and words with what stands for them.
struct Beginning {
  std::string script;
  std::vector<std::pair<std::string, std::string>> words;
};

Beginning beginning_of(const std::string& markdown) {
  constexpr std::string_view kMark = "<!-- run on a factory with a device";
  Beginning beginning;
  const std::size_t at = markdown.find(kMark);
  if (at == std::string::npos) return beginning;
  beginning.script = "a_factory_with_a_device\n";
  std::istringstream words(markdown.substr(at + kMark.size(), markdown.find("-->", at) - at - kMark.size()));
  for (std::string word; words >> word;) {
    const std::size_t equals = word.find('=');
    if (equals != std::string::npos) beginning.words.emplace_back(word.substr(0, equals), word.substr(equals + 1));
  }
  return beginning;
}

std::string script_of(const std::vector<Block>& blocks, const Beginning& beginning) {
  std::string script = std::string(kPrelude) + beginning.script;
  for (const Block& block : blocks) {
    if (block.comment.starts_with("not run")) continue;
    const bool fails = block.comment.starts_with("exit 1");
    if (fails) script += "set +e\n";
    if (block.comment.starts_with("settings of ")) {
      const std::string file = block.comment.substr(std::string_view("settings of ").size());
      script += "settle " + file + " <<'END_OF_LINES'\n" + block.text + "END_OF_LINES\nserve_again\n";
      continue;
    }
    std::string text = block.text;
    for (const auto& [word, with] : beginning.words) text = replaced(text, word, with);
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);)
      script += (line.starts_with("birthmark serve") ? line.substr(std::string_view("birthmark ").size()) : line) + '\n';
    if (fails) script += "test $? = 1\nset -e\n";
  }
  return script;
}

struct Page {
  const char* name;
  const char* path;
};

class Documentation : public ::testing::TestWithParam<Page> {};

INSTANTIATE_TEST_SUITE_P(Pages, Documentation,
                         ::testing::Values(Page{"FirstDevice", "docs/start/first-device.md"},
                                           Page{"Registration", "docs/operating/registration.md"},
                                           Page{"Monitoring", "docs/operating/monitoring.md"}, Page{"Devices", "docs/operating/devices.md"},
                                           Page{"Orders", "docs/operating/orders.md"}, Page{"Audit", "docs/operating/audit.md"},
                                           Page{"Clock", "docs/operating/clock.md"}, Page{"Backup", "docs/operating/backup.md"},
                                           Page{"Upstream", "docs/operating/upstream.md"}),
                         [](const auto& page) { return std::string(page.param.name); });

TEST_P(Documentation, EveryCommandRuns) {
  const std::string markdown = read_text(fs::path(BIRTHMARK_SOURCE_DIR) / GetParam().path);
  const std::vector<Block> blocks = blocks_of(markdown);
  ASSERT_FALSE(blocks.empty());
  const ScratchDirectory scratch;
  const fs::path programs = scratch.path() / "programs";
  fs::create_directory(programs);
  fs::create_symlink(program(), programs / "birthmark");
  fs::create_symlink(fs::path(BIRTHMARK_SOURCE_DIR) / "tests/e2e/docs_test_client.sh", programs / "lmp-device-register");
  write_text(scratch.path() / "page.sh", script_of(blocks, beginning_of(markdown)));
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
