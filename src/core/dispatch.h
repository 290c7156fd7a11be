// SPDX-License-Identifier: Apache-2.0
// The outbox desk of a server that tells others: writes what is to be said of each registration, and waits where the upstream must know
// first. Either courier may be absent.
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
  // What is handed in must outlive it. Without an `upstream` its policy says nothing.
  Dispatch(Registry& registry, Outbox& outbox) : registry_(registry), outbox_(outbox) {}
  void set_upstream(Courier& courier, UpstreamPolicy policy);
  void set_events(Courier& courier) { events_ = &courier; }

  [[nodiscard]] std::vector<OutboxDraft> compose(const IssuanceRecord& issuance) const override;
  [[nodiscard]] Task<Status> record_refusal(std::string audit_body, Instant at) override;
  void recorded() override;
  [[nodiscard]] Task<Status> confirm(RowId certificate) override;

 private:
  Registry& registry_;
  Outbox& outbox_;
  Courier* upstream_ = nullptr;
  UpstreamPolicy policy_;
  Courier* events_ = nullptr;
};

}  // namespace birthmark::core
