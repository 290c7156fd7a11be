// SPDX-License-Identifier: Apache-2.0
// What one source file must obey: include direction (docs/internals/rooms.md), owners of foreign headers, the shapes of co_await,
// banned calls. Pure functions of a path and a text, so that the rules themselves are tested with bad examples.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace birthmark::architecture {

struct SourceFile {
  std::string path;  // relative to the repository: "src/core/enroller.cpp"
  std::string text;
};

struct Finding {
  std::string path;
  std::size_t line = 0;
  std::string problem;
};
[[nodiscard]] std::string to_string(const Finding& finding);

using Findings = std::vector<Finding>;

[[nodiscard]] Findings check_opening(const SourceFile& file);
[[nodiscard]] Findings check_include_direction(const SourceFile& file);
[[nodiscard]] Findings check_foreign_headers(const SourceFile& file);
[[nodiscard]] Findings check_co_await(const SourceFile& file);
[[nodiscard]] Findings check_banned_calls(const SourceFile& file);
[[nodiscard]] Findings check_sql_stays_home(const SourceFile& file);

// All of the above.
[[nodiscard]] Findings check_source(const SourceFile& file);

// True when the file itself includes a header that costs ten seconds of compile time (Beast, or all of Asio).
[[nodiscard]] bool includes_heavy_header(const SourceFile& file);

struct FunctionLength {
  std::string path;
  std::size_t line = 0;
  std::size_t lines = 0;
};
// Functions at namespace scope, measured by clang-format's layout: from the line that opens the body to the `}` in column one.
[[nodiscard]] std::vector<FunctionLength> measure_functions(const SourceFile& file);

}  // namespace birthmark::architecture
