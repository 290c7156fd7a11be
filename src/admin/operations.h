// SPDX-License-Identifier: Apache-2.0
// What the admin listener asks of the process it is part of. Implemented by app/.
#pragma once

#include <string>
#include <vector>

#include "admin/metrics.h"

namespace birthmark::admin {

class Operations {
 public:
  virtual ~Operations() = default;
  // Why this server would refuse to issue right now; empty: it is ready.
  [[nodiscard]] virtual std::vector<std::string> reasons_not_ready() const = 0;
  [[nodiscard]] virtual std::vector<Figure> process_figures() const = 0;
  [[nodiscard]] virtual std::vector<Expiry> expiries() const = 0;
};

}  // namespace birthmark::admin
