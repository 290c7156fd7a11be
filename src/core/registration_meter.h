// SPDX-License-Identifier: Apache-2.0
// Where faces report how each registration ended. Nobody listens unless an admin listener is configured.
#pragma once

#include <chrono>
#include <string_view>

namespace birthmark::core {

class RegistrationMeter {
 public:
  virtual ~RegistrationMeter() = default;
  // `result`: issued, replayed, malformed, or a refusal's reason. Must not block.
  virtual void registration(std::string_view station, std::string_view result, std::chrono::nanoseconds latency) = 0;
};

}  // namespace birthmark::core
