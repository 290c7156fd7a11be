// SPDX-License-Identifier: Apache-2.0
// What operators do to a device after it was registered; each step is audited with its reason in the same transaction.
#pragma once

#include <string>

#include "core/ports/clock.h"
#include "core/ports/registry.h"

namespace birthmark::core {

struct OperatorAct {
  std::string reason;  // required: never empty
  std::string actor;   // who, as far as the system knows
};

class Lifecycle {
 public:
  Lifecycle(Registry& registry, const Clock& clock) : registry_(registry), clock_(clock) {}

  // Refused everywhere from now on, also when the identity is not known yet.
  [[nodiscard]] Task<Result<DeviceRecord>> deny(DeviceIdentity identity, OperatorAct act);
  // Off the deny list, and forgotten: the next enrollment, with the old key or a new one, makes the device again.
  [[nodiscard]] Task<Result<DeviceRecord>> allow(DeviceIdentity identity, OperatorAct act);

 private:
  Registry& registry_;
  const Clock& clock_;
};

}  // namespace birthmark::core
