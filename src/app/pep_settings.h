// SPDX-License-Identifier: Apache-2.0
// Puts together what the pep face works with: configuration, fcu.yml and the files they name, read and judged whole.
#pragma once

#include <string>
#include <vector>

#include "app/fcu_file.h"
#include "app/pep_config.h"
#include "app/site.h"

namespace birthmark::app {

// Bootstrap certificates must be good for ten years, and the CA they come from longer.
inline constexpr auto kLeastCaValidity = std::chrono::hours(24 * (3653 + 30));
inline constexpr auto kSoonTooShort = std::chrono::hours(24 * 4018);  // eleven years: time to make a successor

struct PepFiles {
  faces::izuma::FactorySettings settings;
  std::vector<std::string> problems;
  std::vector<std::string> warnings;
};

// `base`: what relative paths of the configuration start at.
[[nodiscard]] PepFiles read_pep_files(const PepConfig& config, const std::filesystem::path& base, Instant now);

// misconfigured with every problem when there is one.
[[nodiscard]] Result<faces::izuma::PepSettings> make_pep_settings(Site& site);

// Whether the gateway CA can issue what gateways need, now.
[[nodiscard]] Status check_gateway_ca(const core::TrustSnapshot& trust, const PepConfig& config, Instant now);

}  // namespace birthmark::app
