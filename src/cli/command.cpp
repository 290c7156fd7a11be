// SPDX-License-Identifier: Apache-2.0
#include "cli/command.h"

namespace birthmark::cli {

void DirectoryCommand::declare_directory(CLI::App& command) {
  command.add_option("--dir", directory_, "The server's data directory")->envname("BIRTHMARK_DIR")->required()->type_name("DIR");
}

CLI::App* command_group(CLI::App& root, const std::string& name, const std::string& help) {
  for (CLI::App* existing : root.get_subcommands([&](const CLI::App* group) { return group->get_name() == name; })) return existing;
  return root.add_subcommand(name, help)->require_subcommand(1);
}

}  // namespace birthmark::cli
