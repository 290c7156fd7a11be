// SPDX-License-Identifier: Apache-2.0
// What devices PATCH and operators set: a configuration patch, its merge over itself, and TOML laid over TOML.
#include <cstdlib>

#include "base/toml_merge.h"
#include "core/device_config.h"

namespace core = birthmark::core;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto patch = core::parse_config_patch(text)) {
    for (const auto& [name, file] : patch->files) {
      if (!core::check_config_name(name)) std::abort();
    }
    if (const auto merged = core::merge_config({&patch->files, &patch->files})) {
      const std::string rendered = core::render_device_config(*merged);
      if (rendered.front() != '{' || rendered.back() != '}') std::abort();
    }
  }
  const std::size_t half = text.size() / 2;
  const auto once = birthmark::merge_toml({text.substr(0, half), text.substr(half)});
  if (once) {
    const auto again = birthmark::merge_toml({*once, *once});
    if (!again) std::abort();  // what we write, we read
  }
  return 0;
}
