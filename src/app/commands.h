// SPDX-License-Identifier: Apache-2.0
// Every command of the program: those of cli/ and the ones that need the whole house.
#pragma once

#include "cli/commands.h"

namespace birthmark::app {

[[nodiscard]] cli::CommandList program_commands();

[[nodiscard]] std::unique_ptr<cli::Command> make_init_command();
[[nodiscard]] std::unique_ptr<cli::Command> make_serve_command();
[[nodiscard]] std::unique_ptr<cli::Command> make_demo_command();
[[nodiscard]] std::unique_ptr<cli::Command> make_check_command();
[[nodiscard]] std::unique_ptr<cli::Command> make_import_reference_command();
[[nodiscard]] std::unique_ptr<cli::Command> make_import_pep_command();
void append_pep_commands(cli::CommandList& commands);
[[nodiscard]] std::unique_ptr<cli::Command> make_backup_command();
[[nodiscard]] std::unique_ptr<cli::Command> make_restore_command();

}  // namespace birthmark::app
