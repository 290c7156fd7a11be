// SPDX-License-Identifier: Apache-2.0
// The commands of `birthmark-device`, and how they are called.
#pragma once

#include <iosfwd>
#include <string>
#include <string_view>
#include <vector>

namespace birthmark::device {

struct Console {
  std::ostream& out;
  std::ostream& err;
};

// 0 done, 1 refused or failed, 2 usage; a command may have more, which its help names.
inline constexpr int kDone = 0, kFailed = 1, kUsage = 2;

struct DeviceCommand {
  std::string_view name;
  std::string_view summary;
  int (*run)(const std::vector<std::string>& arguments, const Console& console);  // without the command's own name
};

[[nodiscard]] const std::vector<DeviceCommand>& device_commands();

[[nodiscard]] int run(const std::vector<std::string>& arguments, const Console& console);

// eve_onboard_command.cpp
[[nodiscard]] int run_eve_onboard(const std::vector<std::string>& arguments, const Console& console);
// pep_command.cpp
[[nodiscard]] int run_pep(const std::vector<std::string>& arguments, const Console& console);

}  // namespace birthmark::device
