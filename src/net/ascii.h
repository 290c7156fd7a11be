// SPDX-License-Identifier: Apache-2.0
// ASCII comparisons for header names and tokens; no locale. Used inside net/ only.
#pragma once

#include <algorithm>
#include <string_view>

namespace birthmark::net {

[[nodiscard]] inline char lower_ascii(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

[[nodiscard]] inline bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return a.size() == b.size() &&
         std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) { return x == y || lower_ascii(x) == lower_ascii(y); });
}

[[nodiscard]] inline bool is_digits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace birthmark::net
