// SPDX-License-Identifier: Apache-2.0
#include "app/run_in_directory.h"

#include "app/commands.h"
#include "app/control_socket.h"
#include "app/site.h"
#include "cli/driver.h"

namespace birthmark::app {

Status run_in_directory(const std::filesystem::path& directory, const std::vector<std::string>& arguments,
                        const std::vector<cli::InputFile>& inputs, cli::Console& console) {
  Result<int> exit_code = 0;
  if (auto site = Site::open(directory)) {
    exit_code = cli::run_forwarded(program_commands(), arguments, inputs, console, **site);
  } else if (site.error().code == ErrorCode::unavailable) {
    exit_code = forward_command(directory, arguments, inputs, console);
  } else {
    return forward_error(site);
  }
  if (!exit_code) return forward_error(exit_code);
  if (*exit_code != 0) return fail(ErrorCode::conflict, "birthmark " + arguments.at(0) + " " + arguments.at(1) + " failed");
  return {};
}

}  // namespace birthmark::app
