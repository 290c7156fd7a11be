// SPDX-License-Identifier: Apache-2.0
// The device a command names: its id and whose protocol it speaks.
#pragma once

#include <string>

#include "cli/command.h"
#include "cli/workbench.h"

namespace birthmark::cli {

inline constexpr const char* kDeviceGroupHelp = "The devices that this factory knows";

struct NamedDevice {
  std::string id;
  std::string ecosystem = "foundries";

  void declare(CLI::App& command) {
    command.add_option("id", id, "The device's id (a UUID in any case)")->required()->type_name("ID");
    command.add_option("--ecosystem", ecosystem, "foundries, izuma or eve")->check(CLI::IsMember({"foundries", "izuma", "eve"}));
  }
  [[nodiscard]] Result<core::DeviceIdentity> identity(Workbench& workbench) const {
    const core::Ecosystem whose = *core::parse_ecosystem(ecosystem);
    // Serial numbers of Izuma gateways may be any text.
    const auto rule = whose == core::Ecosystem::izuma ? core::DeviceIdRule::line : core::DeviceIdRule::safe;
    return core::identify(workbench.factory(), whose, id, rule);
  }
};

}  // namespace birthmark::cli
