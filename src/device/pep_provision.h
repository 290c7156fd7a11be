// SPDX-License-Identifier: Apache-2.0
// birthmark-device pep provision: a gateway gets its identity without anybody typing, as the factory tool's step (seed text: "how to
// automate").
#pragma once

#include <string>
#include <vector>

#include "device/commands.h"

namespace birthmark::device {

// What the Factory Configurator Client says where it listens: " Client IP Address and Port :  10.0.0.7:50123".
struct FccAddress {
  std::string address;
  std::string port;
};
// False when the line is another one.
[[nodiscard]] bool read_fcc_address(const std::string& line, FccAddress& to);
// "Serial : 0000abcd" of /proc/cpuinfo, or the whole first line of another file.
[[nodiscard]] std::string serial_from(const std::string& text);

[[nodiscard]] int run_pep_provision(const std::vector<std::string>& arguments, const Console& console);

}  // namespace birthmark::device
