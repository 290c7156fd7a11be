// SPDX-License-Identifier: Apache-2.0
// What the tree as a whole must obey: links that resolve, no address nobody vouched for, no path of somebody's machine,
// documents that name what the code has. Works on a list of files in memory; reading the disk is read_tree's business.
#pragma once

#include <filesystem>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "source_rules.h"

namespace birthmark::architecture {

using Tree = std::vector<SourceFile>;

// Text files that git would track: not build/, demo/, .git/ nor files with NUL octets.
[[nodiscard]] Tree read_tree(const std::filesystem::path& root);

// C++ of ours: src/ and tests/, but not tests/data.
[[nodiscard]] bool is_source(std::string_view path);

// [text](target) and [text](target#heading) of Markdown files. Images and footnotes have the same form.
[[nodiscard]] Findings check_links(const Tree& tree);
// https://host/...: only hosts that documents of this kind may name.
[[nodiscard]] Findings check_addresses(const Tree& tree);
[[nodiscard]] Findings check_machine_paths(const Tree& tree);
[[nodiscard]] Findings check_line_ends(const Tree& tree);
// Every BIRTHMARK_CRASH_POINT("name") of src/ is described in docs/reference/crash-points.md.
[[nodiscard]] Findings check_crash_points_documented(const Tree& tree);

// Every setting that src/app/config.cpp reads is described, as `key`, in docs/reference/config.md.
[[nodiscard]] Findings check_settings_documented(const Tree& tree);
// Every subcommand that src/ declares by name is mentioned in docs/reference/cli.md or ca.md.
[[nodiscard]] Findings check_commands_documented(const Tree& tree);

// "## `birthmark init`, really?" -> "birthmark-init-really"
[[nodiscard]] std::string anchor_of(std::string_view heading);

}  // namespace birthmark::architecture
