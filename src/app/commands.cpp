// SPDX-License-Identifier: Apache-2.0
#include "app/commands.h"

#include "app/onboard_commands.h"

namespace birthmark::app {

cli::CommandList program_commands() {
  cli::CommandList commands;
  commands.push_back(make_init_command());
  commands.push_back(make_serve_command());
  commands.push_back(make_demo_command());
  commands.push_back(make_check_command());
  commands.push_back(make_import_reference_command());
  commands.push_back(make_import_pep_command());
  append_pep_commands(commands);
  commands.push_back(make_backup_command());
  commands.push_back(make_restore_command());
  append_onboard_commands(commands);
  append_onboard_controller_commands(commands);
  append_onboard_image_commands(commands);
  append_onboard_node_commands(commands);
  append_adam_import_command(commands);
  for (auto& command : cli::all_commands()) commands.push_back(std::move(command));
  return commands;
}

}  // namespace birthmark::app
