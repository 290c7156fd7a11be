// SPDX-License-Identifier: Apache-2.0
// Gateways as the portal's bulk upload and other systems take them (protocol facts, pep 1.4).
#pragma once

#include <iosfwd>
#include <string>
#include <string_view>

#include "core/ports/gateways.h"

namespace birthmark::app {

// The header and the rows of one part; the others are only counted.
class PortalCsv {
 public:
  PortalCsv(std::ostream& out, std::size_t part, std::size_t part_bytes) : out_(out), part_(part), part_bytes_(part_bytes) {}
  void add(const core::GatewayRecord& gateway);
  [[nodiscard]] std::size_t parts() const { return at_; }

 private:
  std::ostream& out_;
  const std::size_t part_;
  const std::size_t part_bytes_;
  std::size_t at_ = 0;  // the part that the last row went to
  std::size_t used_ = 0;
};

// One object: what the list of the pep interface says, with tenant, notes and station; never the verification key.
[[nodiscard]] std::string gateway_json(const core::GatewayRecord& gateway);

}  // namespace birthmark::app
