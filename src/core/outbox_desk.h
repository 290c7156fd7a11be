// SPDX-License-Identifier: Apache-2.0
// What enrollment asks of whoever tells others about devices. There is none where nothing outside is configured, and then registrations do
// nothing of this.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/task.h"
#include "core/outbox_draft.h"
#include "core/ports/registry.h"

namespace birthmark::core {

class OutboxDesk {
 public:
  virtual ~OutboxDesk() = default;
  // Whether anybody wants to know at the moment; where nobody does, nothing else here need be asked.
  [[nodiscard]] virtual bool listens() const = 0;
  // The messages that go with this registration; its certificate_der is filled in.
  [[nodiscard]] virtual std::vector<OutboxDraft> compose(const IssuanceRecord& issuance) const = 0;
  // Audits a refusal, and writes what is to be said of it in the same transaction.
  [[nodiscard]] virtual Task<Status> record_refusal(std::string audit_body, Instant at) = 0;
  // They are on disk.
  virtual void recorded() = 0;
  // "The cloud must know first": waits until the message of this certificate was delivered. In words for the device: unavailable
  // when that takes too long, conflict or forbidden when the upstream will not have it. Answers at once where nobody needs to know first.
  [[nodiscard]] virtual Task<Status> confirm(RowId certificate) = 0;
};

}  // namespace birthmark::core
