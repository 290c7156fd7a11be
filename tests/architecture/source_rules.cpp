// SPDX-License-Identifier: Apache-2.0
// The tables of who may include what, and the small scanners that apply them.
#include "source_rules.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <initializer_list>
#include <optional>

#include "source_text.h"

namespace birthmark::architecture {
namespace {

struct Room {
  std::string_view name;
  std::vector<std::string_view> may_include;        // rooms, or a folder of one ("net/client")
  std::vector<std::string_view> its_tests_besides;  // what *_test.cpp may include for its fixtures
};

// One line a room: the picture in docs/internals/rooms.md says the same.
const std::vector<Room>& rooms() {
  static const std::vector<Room> table = {
      {"base", {}, {}},
      {"core", {"base"}, {"crypto", "store"}},
      {"net", {"base"}, {}},
      {"crypto", {"core", "base"}, {}},
      {"store", {"core", "base"}, {"crypto"}},
      {"faces", {"core", "net", "base"}, {"crypto", "store"}},
      {"admin", {"core", "net", "base"}, {"crypto", "store"}},
      {"upstream", {"core", "net/client", "base"}, {}},
      {"cli", {"core", "crypto", "net", "base"}, {"store"}},
      {"device", {"crypto", "net", "base"}, {}},
      {"app", {"base", "core", "net", "crypto", "store", "faces", "admin", "upstream", "cli", "device"}, {}},
  };
  return table;
}

const Room* find_room(std::string_view name) {
  const auto found = std::find_if(rooms().begin(), rooms().end(), [&](const Room& room) { return room.name == name; });
  return found == rooms().end() ? nullptr : &*found;
}

bool is_test(std::string_view path) {
  return path.ends_with("_test.cpp") || path.ends_with("_test.h") || path.starts_with("tests/");
}

// "src/core/enroller.cpp" -> "core"; empty outside src/.
std::string_view room_of(std::string_view path) {
  if (!path.starts_with("src/")) return {};
  path.remove_prefix(4);
  const std::size_t slash = path.find('/');
  return slash == std::string_view::npos ? std::string_view{} : path.substr(0, slash);
}

bool below(std::string_view path, std::string_view folder) {
  return path.starts_with(folder) && (path.size() == folder.size() || path[folder.size()] == '/' || path[folder.size()] == '.');
}

struct Include {
  std::string target;
  bool quoted = false;
  std::size_t line = 0;
};

std::optional<Include> read_include(std::string_view line, std::size_t number) {
  const std::size_t hash = line.find_first_not_of(" \t");
  if (hash == std::string_view::npos || line[hash] != '#') return std::nullopt;
  const std::size_t word = line.find("include", hash);
  if (word == std::string_view::npos) return std::nullopt;
  const std::size_t open = line.find_first_of("\"<", word);
  if (open == std::string_view::npos) return std::nullopt;
  const bool quoted = line[open] == '"';
  const std::size_t close = line.find(quoted ? '"' : '>', open + 1);
  if (close == std::string_view::npos) return std::nullopt;
  return Include{.target = std::string(line.substr(open + 1, close - open - 1)), .quoted = quoted, .line = number};
}

std::vector<Include> includes_of(const SourceFile& file) {
  std::vector<Include> includes;
  const std::string text = without_comments(file.text);
  std::size_t number = 0;
  for (const std::string_view line : split_lines(text)) {
    if (auto include = read_include(line, ++number)) includes.push_back(std::move(*include));
  }
  return includes;
}

// The ecosystem's folder of a path below faces/, empty for the files that belong to all of them.
std::string_view face_of(std::string_view path_in_src) {
  if (!path_in_src.starts_with("faces/")) return {};
  path_in_src.remove_prefix(6);
  const std::size_t slash = path_in_src.find('/');
  return slash == std::string_view::npos ? std::string_view{} : path_in_src.substr(0, slash);
}

bool may_include(const Room& room, bool from_test, std::string_view target) {
  if (below(target, room.name)) return true;
  const auto matches = [&](std::string_view allowed) { return below(target, allowed); };
  if (std::any_of(room.may_include.begin(), room.may_include.end(), matches)) return true;
  return from_test && std::any_of(room.its_tests_besides.begin(), room.its_tests_besides.end(), matches);
}

struct ForeignHeader {
  std::string_view prefix;
  std::initializer_list<std::string_view> owners;  // path prefixes that may include it
  std::string_view why;
};

const std::array<ForeignHeader, 11> kForeignHeaders = {{
    {"openssl/", {"src/crypto/", "src/net/tls"}, "OpenSSL lives in crypto/ and net/tls*"},
    {"p11-kit/", {"src/crypto/pkcs11/"}, "PKCS#11 lives in crypto/pkcs11/: one owner of the module"},
    {"sqlite3.h", {"src/store/sqlite/"}, "SQLite lives in store/sqlite/"},
    {"boost/beast", {"src/net/"}, "Beast lives in net/"},
    {"spdlog/", {"src/base/"}, "log through base/log.h"},
    {"cbor.h", {"src/faces/izuma/"}, "CBOR is read where the Factory Configurator Client is spoken to"},
    {"yaml-cpp/", {"src/app/fcu_file"}, "YAML is read in fcu.yml alone"},
    {"CLI/", {"src/cli/", "src/app/"}, "CLI11 lives in cli/ and app/"},
    {"eve.pb.h", {"src/faces/eve/", "src/device/"}, "EVE's messages live in faces/eve/ and device/"},
    {"zlib.h", {"src/faces/eve/"}, "gzip is unpacked in faces/eve/"},
    {"toml++/", {"src/app/", "src/base/", "src/cli/"}, "TOML is read where the configuration is"},
}};

struct BannedCall {
  std::string_view name;
  std::string_view instead;
};

constexpr std::array<BannedCall, 19> kBannedCalls = {{
    {"system", "posix_spawn with an argument list: no shell ever sees our text"},
    {"popen", "posix_spawn with an argument list: no shell ever sees our text"},
    {"sprintf", "fmt, std::to_string or std::snprintf"},
    {"vsprintf", "std::vsnprintf"},
    {"strcpy", "std::string"},
    {"strcat", "std::string"},
    {"strncpy", "std::string"},
    {"gets", "std::getline"},
    {"strtok", "a loop over string_view::find"},
    {"rand", "core::Random"},
    {"srand", "core::Random"},
    {"atoi", "std::from_chars"},
    {"atol", "std::from_chars"},
    {"strerror", "describe_errno (base/file.h), which is safe between threads"},
    {"gmtime", "format_rfc3339 (base/time.h) or gmtime_r"},
    {"localtime", "format_rfc3339 (base/time.h)"},
    {"tmpnam", "mkstemp or mkdtemp"},
    {"mktemp", "mkstemp or mkdtemp"},
    {"setenv", "an option passed as an argument"},
}};

bool is_called(std::string_view code, std::size_t after_name) {
  const std::size_t next = code.find_first_not_of(" \t", after_name);
  return next != std::string_view::npos && code[next] == '(';
}

// a.system(...) and a->system(...) are members of something else.
bool is_member(std::string_view code, std::size_t at) {
  return (at >= 1 && code[at - 1] == '.') || (at >= 2 && code.substr(at - 2, 2) == "->");
}

std::string collapse_space(std::string_view text) {
  std::string collapsed;
  for (const char character : text) {
    const bool space = std::isspace(static_cast<unsigned char>(character)) != 0;
    if (space && (collapsed.empty() || collapsed.back() == ' ')) continue;
    collapsed += space ? ' ' : character;
  }
  while (!collapsed.empty() && collapsed.back() == ' ') collapsed.pop_back();
  return collapsed;
}

void skip_space(std::string_view& text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
}

bool take(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  skip_space(text);
  return true;
}

// Drops "if (...)", "else", "case x:" before a statement that has no braces of its own.
void drop_control(std::string_view& statement) {
  while (true) {
    if (take(statement, "else ")) continue;
    if (statement.starts_with("case ") || statement.starts_with("default:")) {
      const std::size_t colon = statement.find(": ");
      if (colon == std::string_view::npos) return;
      statement.remove_prefix(colon + 2);
      continue;
    }
    if (!statement.starts_with("if (") && !statement.starts_with("while (") && !statement.starts_with("for (")) return;
    std::size_t depth = 0;
    std::size_t at = statement.find('(');
    for (; at < statement.size(); ++at) {
      if (statement[at] == '(') ++depth;
      if (statement[at] == ')' && --depth == 0) break;
    }
    if (at >= statement.size() || statement.substr(0, at).find("co_await") != std::string_view::npos) return;
    statement.remove_prefix(at + 1);
    skip_space(statement);
  }
}

// A name: a, a.b, a->b, ns::a, *this, *a, a_.
bool is_named_value(std::string_view text) {
  while (!text.empty() && (text.front() == '*' || text.front() == '&')) text.remove_prefix(1);
  if (text.starts_with("std::move(") && text.ends_with(")")) return is_named_value(text.substr(10, text.size() - 11));
  if (text.empty()) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (is_word_character(text[i]) || text[i] == '.' || text[i] == ':') continue;
    if (text.substr(i, 2) == "->") {
      ++i;
      continue;
    }
    return false;
  }
  return true;
}

// f(a, b) with named arguments; f may be a member or carry template arguments.
bool is_plain_call(std::string_view call) {
  const std::size_t open = call.find('(');
  if (open == std::string_view::npos || open == 0 || !call.ends_with(")")) return false;
  const std::string_view callee = call.substr(0, open);
  for (const char character : callee) {
    if (!is_word_character(character) && std::string_view(":.<>-, *").find(character) == std::string_view::npos) return false;
  }
  std::string_view arguments = call.substr(open + 1, call.size() - open - 2);
  while (!arguments.empty()) {
    skip_space(arguments);
    const std::size_t comma = arguments.find(',');
    if (!is_named_value(arguments.substr(0, comma))) return false;
    if (comma == std::string_view::npos) break;
    arguments.remove_prefix(comma + 1);
  }
  return true;
}

// "auto x", "const auto& x", "Result<Recorded> x": a declaration of one name.
bool is_declaration(std::string_view text) {
  const std::size_t last_space = text.rfind(' ');
  if (last_space == std::string_view::npos || last_space == 0) return false;
  const std::string_view name = text.substr(last_space + 1);
  if (name.empty() || !std::all_of(name.begin(), name.end(), is_word_character)) return false;
  const std::string_view type = text.substr(0, last_space);
  return std::all_of(type.begin(), type.end(), [](char character) {
    return is_word_character(character) || std::string_view(":<>, *&").find(character) != std::string_view::npos;
  });
}

bool is_allowed_co_await(std::string_view statement) {
  drop_control(statement);
  if (take(statement, "co_return ")) return take(statement, "co_await ") && is_plain_call(statement);
  if (const std::size_t equals = statement.find(" = "); equals != std::string_view::npos) {
    if (!is_declaration(statement.substr(0, equals))) return false;
    statement.remove_prefix(equals + 3);
  }
  return take(statement, "co_await ") && is_plain_call(statement);
}

// "src/core/enroller_test.cpp" -> "enroller", "tests/net/raw_peer.h" -> "raw_peer".
std::string_view stem_of(std::string_view path) {
  path = path.substr(path.rfind('/') + 1);
  path = path.substr(0, path.find('.'));
  if (path.ends_with("_test")) path.remove_suffix(5);
  return path;
}

// x.cpp and x_test.cpp that include x.h: the header has said what they are for.
bool has_own_header(const SourceFile& file) {
  if (!file.path.ends_with(".cpp")) return false;
  const auto includes = includes_of(file);
  return std::any_of(includes.begin(), includes.end(),
                     [&](const Include& include) { return include.quoted && stem_of(include.target) == stem_of(file.path); });
}

bool opens_type_or_table(std::string_view line) {
  constexpr std::array<std::string_view, 4> kTypes = {"class ", "struct ", "enum ", "union "};
  if (std::any_of(kTypes.begin(), kTypes.end(), [&](std::string_view type) { return line.starts_with(type); })) return true;
  return line.ends_with("= {") || line.ends_with("{{");
}

// Does a literal on this line open with a SQL verb?
bool holds_sql(std::string_view line) {
  constexpr std::array<std::string_view, 8> kVerbs = {"SELECT ",      "INSERT INTO ",  "INSERT OR ",    "UPDATE ",
                                                      "DELETE FROM ", "CREATE TABLE ", "CREATE INDEX ", "PRAGMA "};
  for (std::size_t quote = line.find('"'); quote != std::string_view::npos; quote = line.find('"', quote + 1)) {
    const std::string_view inside = line.substr(quote + 1);
    if (std::any_of(kVerbs.begin(), kVerbs.end(), [&](std::string_view verb) { return inside.starts_with(verb); })) return true;
  }
  return false;
}

}  // namespace

std::string to_string(const Finding& finding) {
  return finding.path + ":" + std::to_string(finding.line) + ": " + finding.problem;
}

Findings check_opening(const SourceFile& file) {
  const auto lines = split_lines(file.text);
  Findings findings;
  if (lines.empty() || lines[0] != "// SPDX-License-Identifier: Apache-2.0") {
    findings.push_back({file.path, 1, "the first line must be `// SPDX-License-Identifier: Apache-2.0`"});
  } else if (!has_own_header(file) && (lines.size() < 2 || !lines[1].starts_with("// "))) {
    findings.push_back({file.path, 2, "after the SPDX line say what this file is, who calls it, what it must never do"});
  }
  const bool guarded = file.text.find("#pragma once") != std::string::npos;
  if (file.path.ends_with(".h") && !guarded) findings.push_back({file.path, 1, "a header needs #pragma once"});
  return findings;
}

Findings check_include_direction(const SourceFile& file) {
  Findings findings;
  const std::string_view name = room_of(file.path);
  if (name.empty()) return findings;
  const Room* room = find_room(name);
  if (room == nullptr) return {{file.path, 1, "`" + std::string(name) + "` is not a room: add it to the table of the include rules"}};
  const std::string_view own_face = face_of(std::string_view(file.path).substr(4));
  for (const Include& include : includes_of(file)) {
    const std::size_t slash = include.target.find('/');
    const bool ours = slash != std::string::npos && find_room(std::string_view(include.target).substr(0, slash)) != nullptr;
    if (!ours) continue;
    if (!include.quoted) findings.push_back({file.path, include.line, "our own headers are included with quotes: " + include.target});
    if (!may_include(*room, is_test(file.path), include.target)) {
      findings.push_back({file.path, include.line, "room `" + std::string(name) + "` may not include \"" + include.target + "\""});
    }
    const std::string_view other_face = face_of(include.target);
    if (!own_face.empty() && !other_face.empty() && own_face != other_face) {
      findings.push_back({file.path, include.line, "one face never includes another: \"" + include.target + "\""});
    }
  }
  return findings;
}

Findings check_foreign_headers(const SourceFile& file) {
  Findings findings;
  if (is_test(file.path)) return findings;
  for (const Include& include : includes_of(file)) {
    for (const ForeignHeader& header : kForeignHeaders) {
      if (!include.target.starts_with(header.prefix)) continue;
      const auto owns = [&](std::string_view owner) { return file.path.starts_with(owner); };
      if (std::none_of(header.owners.begin(), header.owners.end(), owns)) {
        findings.push_back({file.path, include.line, "<" + include.target + ">: " + std::string(header.why)});
      }
    }
    if (include.target.ends_with(".cpp")) findings.push_back({file.path, include.line, "a .cpp file is compiled, not included"});
  }
  if (file.path.ends_with(".h") && includes_heavy_header(file)) {
    findings.push_back({file.path, 1, "Beast and all of Asio cost ten seconds a unit: include them in a .cpp file only"});
  }
  return findings;
}

Findings check_co_await(const SourceFile& file) {
  Findings findings;
  const std::string code = without_comments_and_literals(file.text);
  for (const std::size_t at : find_word(code, "co_await")) {
    const std::size_t before = code.find_last_of(";{}", at);
    const std::size_t begin = before == std::string::npos ? 0 : before + 1;
    const std::size_t end = std::min(code.find(';', at), code.size());
    const std::string statement = collapse_space(std::string_view(code).substr(begin, end - begin));
    if (is_allowed_co_await(statement)) continue;
    findings.push_back(
        {file.path, line_of(code, at),
         "co_await stands only in `auto x = co_await f(named);`, `co_await f(named);` and `co_return co_await f(named);`: " + statement});
  }
  return findings;
}

Findings check_banned_calls(const SourceFile& file) {
  Findings findings;
  const std::string code = without_comments_and_literals(file.text);
  for (const BannedCall& banned : kBannedCalls) {
    for (const std::size_t at : find_word(code, banned.name)) {
      if (!is_called(code, at + banned.name.size()) || is_member(code, at)) continue;
      if (banned.name == "setenv" && is_test(file.path)) continue;
      findings.push_back({file.path, line_of(code, at), std::string(banned.name) + "() is banned, use " + std::string(banned.instead)});
    }
  }
  for (const std::size_t at : find_word(code, "namespace")) {
    if (at >= 6 && code.substr(at - 6, 6) == "using " && code.substr(at).starts_with("namespace std;")) {
      findings.push_back({file.path, line_of(code, at), "using namespace std is banned, name what is used"});
    }
  }
  for (const std::size_t at : find_word(code, "exit")) {
    if (!is_called(code, at + 4) || is_member(code, at) || file.path.ends_with("/main.cpp") || is_test(file.path)) continue;
    findings.push_back({file.path, line_of(code, at), "exit() from the depths is banned, return an Error"});
  }
  return findings;
}

Findings check_sql_stays_home(const SourceFile& file) {
  Findings findings;
  if (is_test(file.path) || !file.path.starts_with("src/") || file.path.starts_with("src/store/")) return findings;
  const std::string text = without_comments(file.text);
  std::size_t number = 0;
  for (const std::string_view line : split_lines(text)) {
    ++number;
    if (holds_sql(line)) findings.push_back({file.path, number, "SQL is written in store/ only"});
  }
  return findings;
}

Findings check_source(const SourceFile& file) {
  Findings all;
  for (const auto check :
       {check_opening, check_include_direction, check_foreign_headers, check_co_await, check_banned_calls, check_sql_stays_home}) {
    Findings more = check(file);
    all.insert(all.end(), more.begin(), more.end());
  }
  return all;
}

bool includes_heavy_header(const SourceFile& file) {
  const auto includes = includes_of(file);
  return std::any_of(includes.begin(), includes.end(), [](const Include& include) {
    return include.target.starts_with("boost/beast") || include.target == "boost/asio.hpp";
  });
}

std::vector<FunctionLength> measure_functions(const SourceFile& file) {
  std::vector<FunctionLength> functions;
  const std::string code = without_comments_and_literals(file.text);
  std::size_t number = 0;
  std::size_t opened = 0;  // where the block at namespace scope began; 0: between two
  bool is_function = false;
  for (const std::string_view line : split_lines(code)) {
    ++number;
    if (line.empty()) continue;
    if (opened != 0) {
      if (line.front() != '}') continue;
      if (is_function) functions.push_back({file.path, opened, number - opened + 1});
      opened = 0;
    } else if (line.ends_with("{") && !line.starts_with("namespace") && !line.starts_with("extern ")) {
      opened = number;
      is_function = !opens_type_or_table(line);
    }
  }
  return functions;
}

}  // namespace birthmark::architecture
