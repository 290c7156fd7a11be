// SPDX-License-Identifier: Apache-2.0
// The `birthmark` program: server and operator's command line in one.
#include <unistd.h>

#include <csignal>
#include <iostream>
#include <string>
#include <vector>

#include "app/commands.h"
#include "app/control_socket.h"
#include "app/site.h"
#include "cli/driver.h"
#include "crypto/pkcs11/pin.h"

namespace {

class ProgramHost final : public birthmark::cli::Host {
 public:
  birthmark::Result<std::unique_ptr<birthmark::cli::Workbench>> open(const std::filesystem::path& directory) override {
    BIRTHMARK_TRY(auto site, birthmark::app::Site::open(directory));
    return std::unique_ptr<birthmark::cli::Workbench>(std::move(site));
  }
  birthmark::Result<int> forward(const std::filesystem::path& directory, const std::vector<std::string>& arguments,
                                 const std::vector<birthmark::cli::InputFile>& inputs, birthmark::cli::Console& console) override {
    return birthmark::app::forward_command(directory, arguments, inputs, console);
  }
};

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);  // a peer that went must not end the process
  std::signal(SIGXFSZ, SIG_IGN);  // nor a limit on file sizes: the write fails, and the registration with it
  std::ios::sync_with_stdio(false);
  birthmark::crypto::pkcs11::capture_environment_pin();  // before any thread, and before anybody looks
  ProgramHost host;
  birthmark::cli::Console console{std::cout, std::cerr, ::isatty(STDERR_FILENO) == 1};
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  const int exit_code = birthmark::cli::run(birthmark::app::program_commands(), arguments, console, host);
  std::cout.flush();
  return exit_code;
}
