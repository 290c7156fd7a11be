// SPDX-License-Identifier: Apache-2.0
// Just enough C++ lexing for the rules: the same text with comments and the insides of literals blanked out.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace birthmark::architecture {

// Same length and the same line breaks as `source`, so offsets and line numbers still fit.
[[nodiscard]] std::string without_comments_and_literals(std::string_view source);
[[nodiscard]] std::string without_comments(std::string_view source);

[[nodiscard]] std::size_t line_of(std::string_view text, std::size_t offset);  // counted from 1
[[nodiscard]] std::vector<std::string_view> split_lines(std::string_view text);
[[nodiscard]] bool is_word_character(char character);

// Offsets where `word` stands alone: "gets" is not found in "widgets" nor in "gets_more".
[[nodiscard]] std::vector<std::size_t> find_word(std::string_view text, std::string_view word);

}  // namespace birthmark::architecture
