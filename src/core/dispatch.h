// SPDX-License-Identifier: Apache-2.0
// The outbox desk of a server that has an upstream: writes what is to be said of each registration, and waits where the upstream must know
// first.
#pragma once

#include "core/courier.h"
#include "core/outbox_desk.h"

namespace birthmark::core {

struct UpstreamPolicy {
  bool must_know_first = false;  // mode = "wait"
  bool send_name = true;
  std::string group;
};

class Dispatch final : public OutboxDesk {
 public:
  Dispatch(Courier& upstream, UpstreamPolicy policy) : upstream_(upstream), policy_(std::move(policy)) {}

  [[nodiscard]] std::vector<OutboxDraft> compose(const IssuanceRecord& issuance) const override;
  void recorded() override { upstream_.notify(); }
  [[nodiscard]] Task<Status> confirm(RowId certificate) override;

 private:
  Courier& upstream_;
  const UpstreamPolicy policy_;
};

}  // namespace birthmark::core
