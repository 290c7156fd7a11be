// SPDX-License-Identifier: Apache-2.0
#include "base/toml_merge.h"

#include <toml++/toml.h>

#include <sstream>

namespace birthmark {
namespace {

void lay_over(toml::table& below, const toml::table& above) {
  for (const auto& [key, value] : above) {
    toml::node* present = below.get(key.str());
    const toml::table* table = value.as_table();
    if (present != nullptr && present->is_table() && table != nullptr) {
      lay_over(*present->as_table(), *table);
    } else {
      below.insert_or_assign(key.str(), value);
    }
  }
}

}  // namespace

Result<std::string> merge_toml(const std::vector<std::string_view>& texts) {
  try {
    toml::table merged;
    for (const std::string_view text : texts) lay_over(merged, toml::parse(text));
    std::ostringstream out;
    out << toml::toml_formatter(merged, toml::format_flags::none) << '\n';
    return out.str();
  } catch (const toml::parse_error& error) {
    return fail(ErrorCode::invalid,
                "not TOML: line " + std::to_string(error.source().begin.line) + ": " + std::string(error.description()));
  }
}

}  // namespace birthmark
