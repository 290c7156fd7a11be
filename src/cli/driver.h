// SPDX-License-Identifier: Apache-2.0
// From argv to an exit code: finds the command, opens the directory or forwards to the server that holds it, prints errors.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/command.h"
#include "cli/workbench.h"

namespace birthmark::cli {

// Exit codes that scripts rely on.
constexpr int kDone = 0;
constexpr int kFailed = 1;
constexpr int kUsage = 2;

// How the program gets at data directories. Implemented by app/.
class Host {
 public:
  virtual ~Host() = default;
  // Opens it in this process under its lock; unavailable when another process holds it.
  [[nodiscard]] virtual Result<std::unique_ptr<Workbench>> open(const std::filesystem::path& directory) = 0;
  // Has the server that holds the directory run the command; its exit code. not_found when nothing answers there.
  [[nodiscard]] virtual Result<int> forward(const std::filesystem::path& directory, const std::vector<std::string>& arguments,
                                            const std::vector<InputFile>& inputs, Console& console) = 0;
};

// `arguments` without the program's name.
[[nodiscard]] int run(std::vector<std::unique_ptr<Command>> commands, const std::vector<std::string>& arguments, Console& console,
                      Host& host);

// Inside the server: runs a forwarded directory command.
[[nodiscard]] int run_forwarded(std::vector<std::unique_ptr<Command>> commands, const std::vector<std::string>& arguments,
                                const std::vector<InputFile>& inputs, Console& console, Workbench& workbench);

}  // namespace birthmark::cli
