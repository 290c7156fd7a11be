// SPDX-License-Identifier: Apache-2.0
// A device as one row of a list; shared by `device list`, `export` and `show`.
#pragma once

#include <vector>

#include "cli/listing.h"
#include "core/ports/registry.h"

namespace birthmark::cli {

[[nodiscard]] std::vector<Column> device_columns();
[[nodiscard]] std::vector<Cell> device_cells(const core::DeviceSummary& device);

}  // namespace birthmark::cli
