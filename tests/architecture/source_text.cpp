// SPDX-License-Identifier: Apache-2.0
// A lexer that knows comments, string, raw string and character literals, and nothing else of C++.
#include "source_text.h"

#include <algorithm>

namespace birthmark::architecture {
namespace {

struct Blanking {
  bool comments;
  bool literals;
};

// Overwrites [begin, end) with spaces, line breaks kept.
void blank(std::string& text, std::size_t begin, std::size_t end) {
  for (std::size_t i = begin; i < std::min(end, text.size()); ++i) {
    if (text[i] != '\n') text[i] = ' ';
  }
}

std::size_t end_of(std::string_view text, std::string_view closing, std::size_t from) {
  const std::size_t found = text.find(closing, from);
  return found == std::string_view::npos ? text.size() : found + closing.size();
}

// The offset after the closing quote of a literal that opens at `open`.
std::size_t end_of_literal(std::string_view text, std::size_t open) {
  const char quote = text[open];
  for (std::size_t i = open + 1; i < text.size(); ++i) {
    if (text[i] == '\\') {
      ++i;
    } else if (text[i] == quote || text[i] == '\n') {
      return i + 1;
    }
  }
  return text.size();
}

bool opens_raw_string(std::string_view text, std::size_t at) {
  return text[at] == 'R' && at + 1 < text.size() && text[at + 1] == '"' && (at == 0 || !is_word_character(text[at - 1]));
}

std::size_t end_of_raw_string(std::string_view text, std::size_t at) {
  const std::size_t parenthesis = text.find('(', at);
  if (parenthesis == std::string_view::npos) return text.size();
  const std::string closing = ")" + std::string(text.substr(at + 2, parenthesis - at - 2)) + "\"";
  return end_of(text, closing, parenthesis);
}

// 1'000'000 is a number, 'a' a character.
bool is_digit_separator(std::string_view text, std::size_t at) {
  return at > 0 && is_word_character(text[at - 1]) && at + 1 < text.size() && is_word_character(text[at + 1]);
}

std::string blanked(std::string_view source, Blanking what) {
  std::string text(source);
  std::size_t i = 0;
  while (i < source.size()) {
    std::size_t end = i + 1;
    if (source.substr(i, 2) == "//") {
      end = std::min(source.find('\n', i), source.size());
      if (what.comments) blank(text, i, end);
    } else if (source.substr(i, 2) == "/*") {
      end = end_of(source, "*/", i + 2);
      if (what.comments) blank(text, i, end);
    } else if (opens_raw_string(source, i)) {
      end = end_of_raw_string(source, i);
      if (what.literals) blank(text, i + 2, end - 1);
    } else if (source[i] == '"' || (source[i] == '\'' && !is_digit_separator(source, i))) {
      end = end_of_literal(source, i);
      if (what.literals) blank(text, i + 1, end - 1);
    }
    i = end;
  }
  return text;
}

}  // namespace

bool is_word_character(char character) {
  return (character >= 'a' && character <= 'z') || (character >= 'A' && character <= 'Z') || (character >= '0' && character <= '9') ||
         character == '_';
}

std::string without_comments_and_literals(std::string_view source) {
  return blanked(source, {.comments = true, .literals = true});
}

std::string without_comments(std::string_view source) {
  return blanked(source, {.comments = true, .literals = false});
}

std::size_t line_of(std::string_view text, std::size_t offset) {
  const auto end = text.begin() + static_cast<std::ptrdiff_t>(std::min(offset, text.size()));
  return 1 + static_cast<std::size_t>(std::count(text.begin(), end, '\n'));
}

std::vector<std::string_view> split_lines(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    lines.push_back(text.substr(0, end));
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
  return lines;
}

std::vector<std::size_t> find_word(std::string_view text, std::string_view word) {
  std::vector<std::size_t> found;
  for (std::size_t at = text.find(word); at != std::string_view::npos; at = text.find(word, at + 1)) {
    const std::size_t after = at + word.size();
    const bool starts = at == 0 || !is_word_character(text[at - 1]);
    const bool ends = after >= text.size() || !is_word_character(text[after]);
    if (starts && ends) found.push_back(at);
  }
  return found;
}

}  // namespace birthmark::architecture
