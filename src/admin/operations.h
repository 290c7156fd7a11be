// SPDX-License-Identifier: Apache-2.0
// What the admin listener asks of the process it is part of. Implemented by app/.
#pragma once

#include <string>
#include <vector>

#include "admin/metrics.h"
#include "core/courier_figures.h"
#include "core/outbox_draft.h"

namespace birthmark::admin {

// One of the ways from here to others, as it is configured and as it goes.
struct Delivery {
  std::string url;  // empty: none is configured
  std::string mode;
  core::CourierFigures figures;
};

class Operations {
 public:
  virtual ~Operations() = default;
  // Why this server would refuse to issue right now; empty: it is ready.
  [[nodiscard]] virtual std::vector<std::string> reasons_not_ready() const = 0;
  [[nodiscard]] virtual std::vector<Figure> process_figures() const = 0;
  [[nodiscard]] virtual std::vector<Expiry> expiries() const = 0;
  [[nodiscard]] virtual CommitSizes commit_sizes() const = 0;
  [[nodiscard]] virtual Delivery delivery(core::OutboxChannel channel) const = 0;
};

}  // namespace birthmark::admin
