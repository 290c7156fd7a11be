// SPDX-License-Identifier: Apache-2.0
#include "core/dispatch.h"

#include "base/pem.h"

namespace birthmark::core {

void Dispatch::set_upstream(Courier& courier, UpstreamPolicy policy) {
  upstream_ = &courier;
  policy_ = std::move(policy);
}

// An event is the audit's own record: who listens reads what an auditor reads.
std::vector<OutboxDraft> Dispatch::compose(const IssuanceRecord& issuance) const {
  std::vector<OutboxDraft> drafts;
  if (upstream_ != nullptr) {
    const std::string certificate = encode_pem("CERTIFICATE", issuance.certificate_der);
    drafts.push_back(
        {OutboxChannel::upstream, registration_message(certificate, policy_.send_name ? issuance.name : std::string(), policy_.group)});
  }
  if (events_ != nullptr) drafts.push_back({OutboxChannel::events, issuance.audit_body});
  return drafts;
}

Task<Status> Dispatch::record_refusal(std::string audit_body, Instant at) {
  if (events_ == nullptr) co_return co_await registry_.append_audit(std::move(audit_body));
  OutboxDraft draft{OutboxChannel::events, audit_body};
  Status written = co_await outbox_.append_event(std::move(audit_body), std::move(draft), at);
  events_->notify();
  co_return written;
}

void Dispatch::recorded() {
  if (upstream_ != nullptr) upstream_->notify();
  if (events_ != nullptr) events_->notify();
}

Task<Status> Dispatch::confirm(RowId certificate) {
  if (upstream_ == nullptr || !policy_.must_know_first) co_return Status();
  co_return co_await upstream_->confirm(certificate);
}

}  // namespace birthmark::core
