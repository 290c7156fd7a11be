// SPDX-License-Identifier: Apache-2.0
// The outbox desk of a server that tells others: writes what is to be said of each registration, and waits where the upstream must know
// first. Either courier may be absent, and both may be replaced while registrations go on. Safe from every thread.
#pragma once

#include <memory>

#include "base/live.h"
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
  // What is handed in must outlive it.
  Dispatch(Registry& registry, Outbox& outbox) : registry_(registry), outbox_(outbox), lines_(Lines{}) {}
  // From the next registration on; who waits for an earlier courier goes on to. Without an `upstream` its policy says nothing.
  void set(std::shared_ptr<Courier> upstream, UpstreamPolicy policy, std::shared_ptr<Courier> events);

  [[nodiscard]] bool listens() const override;
  [[nodiscard]] std::vector<OutboxDraft> compose(const IssuanceRecord& issuance) const override;
  [[nodiscard]] Task<Status> record_refusal(std::string audit_body, Instant at) override;
  void recorded() override;
  [[nodiscard]] Task<Status> confirm(RowId certificate) override;

 private:
  struct Lines {
    std::shared_ptr<Courier> upstream;
    UpstreamPolicy policy;
    std::shared_ptr<Courier> events;
  };

  Registry& registry_;
  Outbox& outbox_;
  Live<Lines> lines_;
};

}  // namespace birthmark::core
