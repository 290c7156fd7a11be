// SPDX-License-Identifier: Apache-2.0
// Port: devices that another system registered come in with their keys, before this one has issued them anything. What such a device gets
// when it registers again with that key is its first certificate here; another key is refused. Adapters: those of the Registry.
#pragma once

#include <string>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "base/task.h"
#include "base/time.h"
#include "core/identity.h"

namespace birthmark::core {

struct ImportedDevice {
  DeviceIdentity identity;
  DeviceId device_id;
  SpkiHash key;
  std::string source;  // recorded as its station
  Instant at;
  std::string audit_body;
};

enum class ImportOutcome : std::uint8_t {
  imported,
  known,        // with this key: nothing to do
  another_key,  // registered here with another one
  denied,       // on the deny list
};

class Intake {
 public:
  virtual ~Intake() = default;
  // One transaction; an outcome for each, in order. What is not `imported` leaves no trace.
  [[nodiscard]] virtual Task<Result<std::vector<ImportOutcome>>> import_devices(std::vector<ImportedDevice> devices) = 0;
};

}  // namespace birthmark::core
