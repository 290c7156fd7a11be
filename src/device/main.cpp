// SPDX-License-Identifier: Apache-2.0
// The `birthmark-device` program: what runs on a device or a bench. Links no database and no server code.
#include <csignal>
#include <iostream>
#include <string_view>
#include <vector>

#include "device/commands.h"

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);  // a peer that went must not end the process
  std::vector<std::string> arguments(argv + 1, argv + argc);
  const std::string_view name(argc > 0 ? argv[0] : "");
  if (name.substr(name.rfind('/') + 1).starts_with("pep-cli")) arguments.insert(arguments.begin(), "pep");
  const int exit_code = birthmark::device::run(arguments, {std::cout, std::cerr});
  std::cout.flush();
  return exit_code;
}
