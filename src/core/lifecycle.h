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

// At most 64 letters, digits, dots, dashes and underscores; empty is no group.
[[nodiscard]] Status check_group_name(std::string_view group);

class Lifecycle {
 public:
  Lifecycle(Registry& registry, const Clock& clock) : registry_(registry), clock_(clock) {}

  // Refused everywhere from now on, also when the identity is not known yet.
  [[nodiscard]] Task<Result<DeviceRecord>> deny(DeviceIdentity identity, OperatorAct act);
  // Off the deny list, and forgotten: the next enrollment, with the old key or a new one, makes the device again.
  [[nodiscard]] Task<Result<DeviceRecord>> allow(DeviceIdentity identity, OperatorAct act);
  // No longer wanted: as deny, and shown as deleted. Only for devices that are known.
  [[nodiscard]] Task<Result<DeviceRecord>> remove(DeviceIdentity identity, OperatorAct act);
  // A name has up to 256 bytes of one line; a group up to 64 of [A-Za-z0-9._-], empty for none.
  [[nodiscard]] Task<Result<DeviceRecord>> rename(DeviceIdentity identity, std::string name, OperatorAct act);
  [[nodiscard]] Task<Result<DeviceRecord>> move_to_group(DeviceIdentity identity, std::string group, OperatorAct act);
  // For so long, one enrollment may bring another key; the current one is superseded by it and works until then.
  [[nodiscard]] Task<Result<DeviceRecord>> allow_rekey(DeviceIdentity identity, Duration lasts, OperatorAct act);
  // At once: the current key is refused everywhere, and the next enrollment with any key makes the device anew.
  [[nodiscard]] Task<Result<DeviceRecord>> forget_key(DeviceIdentity identity, OperatorAct act);

 private:
  [[nodiscard]] Task<Result<DeviceRecord>> change(DeviceIdentity identity, DeviceChange wanted, AuditEvent event, OperatorAct act);

  Registry& registry_;
  const Clock& clock_;
};

}  // namespace birthmark::core
