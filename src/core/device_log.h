// SPDX-License-Identifier: Apache-2.0
// Somebody beside the registry who keeps a note of each device that registers, before it is answered: the drop-in for the registration
// reference. Called on network threads.
#pragma once

#include "core/enrollment.h"

namespace birthmark::core {

class DeviceLog {
 public:
  virtual ~DeviceLog() = default;
  [[nodiscard]] virtual Status note(const Enrolled& enrolled) = 0;
};

}  // namespace birthmark::core
