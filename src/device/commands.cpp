// SPDX-License-Identifier: Apache-2.0
#include "device/commands.h"

#include <algorithm>
#include <ostream>

namespace birthmark::device {
namespace {

constexpr std::string_view kVersion = "birthmark-device 0.1.0";

void print_help(std::ostream& out) {
  out << "birthmark-device COMMAND ...: gives a device its identity, on the device itself\n\n";
  for (const DeviceCommand& command : device_commands()) out << "  " << command.name << "  " << command.summary << '\n';
  out << "\nbirthmark-device COMMAND --help says more.\n";
}

}  // namespace

const std::vector<DeviceCommand>& device_commands() {
  static const std::vector<DeviceCommand> commands{
      {"eve-onboard", "register an LF Edge EVE node with its controller, by the files of its /config", run_eve_onboard},
      {"pep", "identities for Izuma Edge gateways; also when called pep-cli", run_pep},
  };
  return commands;
}

int run(const std::vector<std::string>& arguments, const Console& console) {
  const std::string_view name = arguments.empty() ? std::string_view() : std::string_view(arguments.front());
  if (name == "--help" || name == "-h") {
    print_help(console.out);
    return kDone;
  }
  if (name == "--version") {
    console.out << kVersion << '\n';
    return kDone;
  }
  const auto& commands = device_commands();
  const auto found = std::find_if(commands.begin(), commands.end(), [&](const DeviceCommand& command) { return command.name == name; });
  if (found == commands.end()) {
    if (!name.empty()) console.err << "birthmark-device: there is no command '" << name << "'\n";
    print_help(console.err);
    return kUsage;
  }
  return found->run({arguments.begin() + 1, arguments.end()}, console);
}

}  // namespace birthmark::device
