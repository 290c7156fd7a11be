// SPDX-License-Identifier: Apache-2.0
#include "cli/device_row.h"

#include "base/text.h"

namespace birthmark::cli {
namespace {

Cell time_cell(const std::optional<Instant>& at) {
  return at ? Cell{format_rfc3339(*at)} : Cell{};
}

}  // namespace

std::vector<Column> device_columns() {
  return {{"id", 36},          {"ecosystem", 9}, {"status", 8},       {"name", 36},      {"production", 10},
          {"hardware_id", 16}, {"serial", 32},   {"spki_sha256", 64}, {"not_after", 20}, {"created_at", 20},
          {"last_seen", 20},   {"station", 15},  {"group", 12}};
}

std::vector<Cell> device_cells(const core::DeviceSummary& device) {
  return {{device.identity.external_id},
          {std::string(core::to_string(device.identity.ecosystem))},
          {std::string(device.deleted ? "deleted" : core::to_string(device.status))},
          {device.name},
          {device.production ? "true" : "false", true},
          {device.hardware_id},
          device.serial ? Cell{device.serial->hex()} : Cell{},
          device.current_key ? Cell{to_hex(device.current_key->view())} : Cell{},
          time_cell(device.not_after),
          {format_rfc3339(device.created_at)},
          time_cell(device.last_seen),
          {device.station},
          {device.group}};
}

}  // namespace birthmark::cli
