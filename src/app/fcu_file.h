// SPDX-License-Identifier: Apache-2.0
// fcu.yml as customers of the original tool have it, read into factory settings. The text is from outside: its size, depth, aliases and
// length are bounded before it is built, and of ERB only <%= ENV['NAME'] %> is understood.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "faces/izuma/factory_settings.h"

namespace birthmark::app {

// What an environment variable holds; nothing when it is not set.
using EnvironmentLookup = std::function<std::optional<std::string>(const std::string& name)>;

struct FcuReading {
  faces::izuma::FactorySettings settings;
  std::filesystem::path update_certificate_file;  // as written; empty: none
  std::vector<std::string> problems;              // each in plain words, with its key or line
  std::vector<std::string> warnings;              // read, yet of no effect here
};

// Never fails: what cannot be read is a problem.
[[nodiscard]] FcuReading read_fcu_text(std::string_view text, const EnvironmentLookup& environment);

// DIR/fcu.yml with what stands beside it. FCU_RESOURCES_DIR and FCU_HOME_DIR are DIR unless the environment says otherwise.
[[nodiscard]] FcuReading read_fcu_directory(const std::filesystem::path& directory);

}  // namespace birthmark::app
