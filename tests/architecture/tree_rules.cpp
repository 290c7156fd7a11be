// SPDX-License-Identifier: Apache-2.0
// Markdown links, addresses and paths, found with plain scanning.
#include "tree_rules.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <iterator>
#include <map>

#include "source_text.h"

namespace birthmark::architecture {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kLargestText = 4U << 20U;

bool is_skipped_folder(const fs::path& relative) {
  const std::string text = relative.generic_string();
  return text == ".git" || text == "build" || text == "demo" || text == ".cache" || text == ".vscode" || text == ".idea";
}

bool is_markdown(std::string_view path) {
  return path.ends_with(".md");
}

// Captured bytes of other programs: not ours to tidy.
bool is_foreign(std::string_view path) {
  return path.starts_with("tests/data/") || path.starts_with("tests/fuzz/corpus/") || path == "LICENSE";
}

std::string directory_of(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? std::string() : std::string(path.substr(0, slash));
}

// Code fences and `code` hold no links.
std::string without_code(std::string_view markdown) {
  std::string text;
  bool fenced = false;
  for (const std::string_view line : split_lines(markdown)) {
    const bool fence = line.substr(0, 3) == "```";
    if (fence) fenced = !fenced;
    bool code = fenced || fence;
    for (const char character : line) {
      if (character == '`' && !fenced && !fence) code = !code;
      text += code ? ' ' : character;
    }
    text += '\n';
  }
  return text;
}

std::set<std::string> anchors_of(std::string_view markdown) {
  std::set<std::string> anchors;
  bool fenced = false;
  for (const std::string_view line : split_lines(markdown)) {
    if (line.starts_with("```")) fenced = !fenced;
    if (fenced || !line.starts_with("#")) continue;
    const std::size_t text = line.find_first_not_of("# ");
    if (text != std::string_view::npos) anchors.insert(anchor_of(line.substr(text)));
  }
  return anchors;
}

bool is_elsewhere(std::string_view target) {
  return target.starts_with("https://") || target.starts_with("http://") || target.starts_with("mailto:");
}

struct Names {
  std::set<std::string> files;
  std::set<std::string> folders;
  std::map<std::string, std::set<std::string>> anchors;
};

Names names_of(const Tree& tree) {
  Names names;
  for (const SourceFile& file : tree) {
    names.files.insert(file.path);
    for (std::string folder = directory_of(file.path); !folder.empty(); folder = directory_of(folder)) names.folders.insert(folder);
    if (is_markdown(file.path)) names.anchors[file.path] = anchors_of(file.text);
  }
  return names;
}

// Empty when the link is good, else what is wrong with it.
std::string problem_of_link(const Names& names, const std::string& from, std::string_view target) {
  if (is_elsewhere(target)) return {};
  const std::size_t hash = target.find('#');
  const std::string_view file = target.substr(0, hash);
  std::string path = from;
  if (!file.empty()) path = (fs::path(directory_of(from)) / fs::path(file)).lexically_normal().generic_string();
  while (path.ends_with("/")) path.pop_back();
  if (names.files.count(path) == 0 && names.folders.count(path) == 0) return "link to a file that is not there: " + std::string(target);
  if (hash == std::string_view::npos) return {};
  const auto anchors = names.anchors.find(path);
  const std::string anchor(target.substr(hash + 1));
  if (anchors == names.anchors.end() || anchors->second.count(anchor) == 0) {
    return "link to a heading that is not there: " + std::string(target);
  }
  return {};
}

std::string host_at(std::string_view text, std::size_t begin) {
  std::size_t end = begin;
  while (end < text.size() && (is_word_character(text[end]) || text[end] == '.' || text[end] == '-')) ++end;
  std::string host(text.substr(begin, end - begin));
  while (host.ends_with(".")) host.pop_back();
  return host;
}

// Names reserved for examples (RFC 2606, RFC 6761), this machine, and the places our documents cite.
bool is_vouched_for(std::string_view host) {
  constexpr std::array<std::string_view, 14> kHosts = {"127.0.0.1",
                                                       "localhost",
                                                       "0.0.0.0",
                                                       "www.apache.org",
                                                       "www.rfc-editor.org",
                                                       "keepachangelog.com",
                                                       "semver.org",
                                                       "github.com",
                                                       "docs.foundries.io",
                                                       "api.foundries.io",
                                                       "app.foundries.io",
                                                       "www.sqlite.org",
                                                       "api.us-east-1.mbedcloud.com",
                                                       "gateways.us-east-1.mbedcloud.com"};
  if (host.empty() || host.find('.') == std::string_view::npos) return true;  // "https://" + variable, a bare name
  if (std::find(kHosts.begin(), kHosts.end(), host) != kHosts.end()) return true;
  constexpr std::array<std::string_view, 6> kReserved = {".example", ".test", ".invalid", "example.com", "example.org", "example.net"};
  if (std::any_of(kReserved.begin(), kReserved.end(), [&](std::string_view end) { return host.ends_with(end); })) return true;
  constexpr std::array<std::string_view, 4> kPrivate = {"10.", "192.168.", "192.0.2.", "198.51.100."};
  return std::any_of(kPrivate.begin(), kPrivate.end(), [&](std::string_view start) { return host.starts_with(start); });
}

// Does an absolute path begin here? Not in the middle of "tests/ada/x".
bool begins_path(std::string_view text, std::size_t at) {
  if (at == 0) return true;
  const char before = text[at - 1];
  return !is_word_character(before) && before != '/' && before != '.' && before != '}' && before != '-' && before != '~';
}

std::string text_of(const Tree& tree, std::string_view path) {
  const auto page = std::find_if(tree.begin(), tree.end(), [&](const SourceFile& file) { return file.path == path; });
  return page == tree.end() ? std::string() : page->text;
}

struct Literal {
  std::string text;
  std::size_t line = 0;
};

// The rest of the literal that follows each `opening`, which ends in a quote.
std::vector<Literal> literals_after(const SourceFile& file, std::string_view opening) {
  const std::string code = without_comments(file.text);
  std::vector<Literal> found;
  for (std::size_t at = code.find(opening); at != std::string::npos; at = code.find(opening, at + 1)) {
    const std::size_t begin = at + opening.size();
    found.push_back({code.substr(begin, code.find('"', begin) - begin), line_of(code, at)});
  }
  return found;
}

void find_machine_paths(const SourceFile& file, Findings& findings) {
  // Assembled, so that this file does not find itself.
  const std::array<std::string, 5> folders = {std::string("/ho") + "me/", std::string("/ro") + "ot/", std::string("/Us") + "ers/",
                                              std::string("/wo") + "rk/", std::string("/work") + "space/"};
  for (const std::string& folder : folders) {
    for (std::size_t at = file.text.find(folder); at != std::string::npos; at = file.text.find(folder, at + 1)) {
      if (!begins_path(file.text, at)) continue;
      findings.push_back({file.path, line_of(file.text, at), "a path of somebody's machine: " + folder + "..."});
    }
  }
}

}  // namespace

Tree read_tree(const fs::path& root) {
  Tree tree;
  for (auto entry = fs::recursive_directory_iterator(root); entry != fs::recursive_directory_iterator(); ++entry) {
    const fs::path relative = entry->path().lexically_relative(root);
    if (relative == ".git" && !entry->is_directory()) continue;  // of a linked worktree: where its repository is
    if (entry->is_directory() && is_skipped_folder(relative)) {
      entry.disable_recursion_pending();
      continue;
    }
    if (!entry->is_regular_file() || entry->file_size() > kLargestText) continue;
    std::ifstream in(entry->path(), std::ios::binary);
    std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
    if (text.find('\0') == std::string::npos) tree.push_back({relative.generic_string(), std::move(text)});
  }
  std::sort(tree.begin(), tree.end(), [](const SourceFile& a, const SourceFile& b) { return a.path < b.path; });
  return tree;
}

bool is_source(std::string_view path) {
  if (!path.starts_with("src/") && (!path.starts_with("tests/") || is_foreign(path))) return false;
  return path.ends_with(".h") || path.ends_with(".cpp");
}

Findings check_links(const Tree& tree) {
  const Names names = names_of(tree);
  Findings findings;
  for (const SourceFile& file : tree) {
    if (!is_markdown(file.path) || is_foreign(file.path)) continue;
    const std::string text = without_code(file.text);
    for (std::size_t at = text.find("]("); at != std::string::npos; at = text.find("](", at + 2)) {
      const std::size_t close = text.find(')', at);
      if (close == std::string::npos) continue;
      const std::string problem = problem_of_link(names, file.path, std::string_view(text).substr(at + 2, close - at - 2));
      if (!problem.empty()) findings.push_back({file.path, line_of(text, at), problem});
    }
  }
  return findings;
}

Findings check_addresses(const Tree& tree) {
  Findings findings;
  for (const SourceFile& file : tree) {
    if (is_foreign(file.path)) continue;
    for (const std::string_view scheme : {"https://", "http://"}) {
      for (std::size_t at = file.text.find(scheme); at != std::string::npos; at = file.text.find(scheme, at + 1)) {
        const std::string host = host_at(file.text, at + scheme.size());
        if (is_vouched_for(host)) continue;
        findings.push_back({file.path, line_of(file.text, at), "an address nobody vouched for: " + host});
      }
    }
  }
  return findings;
}

Findings check_machine_paths(const Tree& tree) {
  Findings findings;
  for (const SourceFile& file : tree) {
    if (!is_foreign(file.path)) find_machine_paths(file, findings);
  }
  return findings;
}

Findings check_line_ends(const Tree& tree) {
  Findings findings;
  for (const SourceFile& file : tree) {
    if (is_foreign(file.path)) continue;
    std::size_t number = 0;
    for (const std::string_view line : split_lines(file.text)) {
      ++number;
      if (!line.empty() && (line.back() == ' ' || line.back() == '\t' || line.back() == '\r')) {
        findings.push_back({file.path, number, "white space at the end of the line"});
      }
    }
    if (!file.text.empty() && file.text.back() != '\n') findings.push_back({file.path, number, "no line break at the end of the file"});
  }
  return findings;
}

Findings check_crash_points_documented(const Tree& tree) {
  const std::string page = text_of(tree, "docs/reference/crash-points.md");
  Findings findings;
  for (const SourceFile& file : tree) {
    if (!file.path.starts_with("src/") || !is_source(file.path) || file.path.ends_with("_test.cpp")) continue;
    for (const Literal& point : literals_after(file, "BIRTHMARK_CRASH_POINT(\"")) {
      if (page.find("`" + point.text + "`") != std::string::npos) continue;
      findings.push_back({file.path, point.line, "crash point `" + point.text + "` is not described in docs/reference/crash-points.md"});
    }
  }
  return findings;
}

Findings check_settings_documented(const Tree& tree) {
  const std::string page = text_of(tree, "docs/reference/config.md");
  Findings findings;
  for (const SourceFile& file : tree) {
    if (file.path != "src/app/config.cpp") continue;
    for (const std::string_view reader : {".text(\"", ".texts(\"", ".flag(\"", ".number(\"", ".duration(\"", ">(\""}) {
      for (const Literal& key : literals_after(file, reader)) {
        if (page.find("| `" + key.text + "` |") != std::string::npos) continue;
        findings.push_back({file.path, key.line, "setting `" + key.text + "` is not described in docs/reference/config.md"});
      }
    }
  }
  return findings;
}

Findings check_commands_documented(const Tree& tree) {
  const std::string pages = text_of(tree, "docs/reference/cli.md") + text_of(tree, "docs/reference/ca.md");
  Findings findings;
  for (const SourceFile& file : tree) {
    if (!file.path.starts_with("src/") || !is_source(file.path) || file.path.ends_with("_test.cpp")) continue;
    for (const Literal& command : literals_after(file, "add_subcommand(\"")) {
      if (!find_word(pages, command.text).empty()) continue;
      findings.push_back(
          {file.path, command.line, "command `" + command.text + "` is described neither in docs/reference/cli.md nor in ca.md"});
    }
  }
  return findings;
}

std::string anchor_of(std::string_view heading) {
  std::string anchor;
  for (const char character : heading) {
    if (character == ' ') {
      anchor += '-';
    } else if (is_word_character(character) || character == '-') {
      anchor += static_cast<char>(character >= 'A' && character <= 'Z' ? character - 'A' + 'a' : character);
    }
  }
  return anchor;
}

}  // namespace birthmark::architecture
