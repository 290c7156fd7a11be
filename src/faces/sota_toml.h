// SPDX-License-Identifier: Apache-2.0
// The aktualizr-lite configuration a registering device gets, byte for byte as the field's devices know it (protocol facts, Foundries
// 4.5). Values are raw TOML right-hand sides; hardware id and directory are refused where they could break out of their quotes.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace birthmark::faces {

// One setting that the device asked for: nothing or an empty value means "leave a comment that it is not set".
struct TomlOverride {
  std::string key;
  std::optional<std::string> value;
};
struct TomlSectionOverride {
  std::string section;
  std::vector<TomlOverride> settings;
};

struct SotaParameters {
  std::string_view hardware_id;
  std::string_view sota_config_dir;  // without a final '/'
  std::string_view gateway_server;   // "https://gw.example:8443"
  std::string_view ostree_server;
};

// Refuses, with a text for the device, what cannot stand inside a TOML basic string or as a bare section or key.
[[nodiscard]] Status check_sota_value(std::string_view member, std::string_view value);
[[nodiscard]] Status check_sota_name(std::string_view name);

[[nodiscard]] std::string render_sota_toml(const SotaParameters& parameters, const std::vector<TomlSectionOverride>& overrides);

}  // namespace birthmark::faces
