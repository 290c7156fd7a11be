// SPDX-License-Identifier: Apache-2.0
// For commands that do one thing with the caller's rights and another on a data directory: the second as a command of its own.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "cli/command.h"

namespace birthmark::app {

// Runs `arguments` ("onboard", "add", ...) in this process, or in the server that holds the directory. What it printed went to the console;
// an error says no more than that it failed.
[[nodiscard]] Status run_in_directory(const std::filesystem::path& directory, const std::vector<std::string>& arguments,
                                      const std::vector<cli::InputFile>& inputs, cli::Console& console);

}  // namespace birthmark::app
