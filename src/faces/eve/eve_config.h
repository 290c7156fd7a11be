// SPDX-License-Identifier: Apache-2.0
// The configuration of a node: what was set for it, and what it is given. For the face, adam's administration and the operator's commands.
#pragma once

#include <string>

#include "core/ports/field_log.h"
#include "core/ports/nodes.h"
#include "faces/eve/controller.h"

namespace birthmark::faces::eve {

struct ConfigInForce {
  std::string body;  // EdgeDevConfig, serialized; empty: nothing is set, which is a valid configuration
  bool set = false;
  Instant at;  // never before that of an earlier one
  core::RowId entry = 0;
};

// The node's own, or the one for all nodes.
[[nodiscard]] Result<ConfigInForce> config_in_force(core::FieldLog& field, const core::NodeRecord& node);
// With id, version, the controller's certificates and the time filled in: what the node receives.
[[nodiscard]] Result<std::string> complete_config(const ConfigInForce& set, const std::string& uuid, const Controller& controller);

}  // namespace birthmark::faces::eve
