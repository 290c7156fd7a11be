// SPDX-License-Identifier: Apache-2.0
// One [section] of birthmark.toml: how it is read, and what `birthmark init` writes for it. A section is one file of this folder and one
// line in all_sections.cpp.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "app/config.h"
#include "app/config/section_reader.h"

namespace birthmark::app {

// What a new factory's file says beyond the defaults.
struct ConfigDefaults {
  std::string factory, gateway_dns, ostree_dns;
  GatewayListener gateway = GatewayListener::off;
};

struct ConfigSection {
  std::string_view name;
  Status (*read)(const ConfigFile& file, Config& config);
  // The section as text, its heading included, every setting commented out at its default. May be empty.
  std::string (*written)(const ConfigDefaults& defaults);
};

// In the order in which they are read and written.
[[nodiscard]] std::vector<ConfigSection> config_sections();

[[nodiscard]] ConfigSection factory_section();
[[nodiscard]] ConfigSection registration_section();
[[nodiscard]] ConfigSection gateway_section();
[[nodiscard]] ConfigSection eve_section();
[[nodiscard]] ConfigSection upstream_section();
[[nodiscard]] ConfigSection hooks_section();
[[nodiscard]] ConfigSection admin_section();
[[nodiscard]] ConfigSection api_section();
[[nodiscard]] ConfigSection hsm_section();
[[nodiscard]] ConfigSection clock_section();
[[nodiscard]] ConfigSection limits_section();
[[nodiscard]] ConfigSection server_section();
[[nodiscard]] ConfigSection pep_section();
[[nodiscard]] ConfigSection fcu_section();
[[nodiscard]] ConfigSection log_section();

}  // namespace birthmark::app
