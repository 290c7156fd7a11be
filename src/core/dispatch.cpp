// SPDX-License-Identifier: Apache-2.0
#include "core/dispatch.h"

#include "base/pem.h"

namespace birthmark::core {

void Dispatch::set(std::shared_ptr<Courier> upstream, UpstreamPolicy policy, std::shared_ptr<Courier> events) {
  lines_.set(Lines{std::move(upstream), std::move(policy), std::move(events)});
}

bool Dispatch::listens() const {
  const auto lines = lines_.get();
  return lines->upstream || lines->events;
}

// An event is the audit's own record: who listens reads what an auditor reads.
std::vector<OutboxDraft> Dispatch::compose(const IssuanceRecord& issuance) const {
  const auto lines = lines_.get();
  std::vector<OutboxDraft> drafts;
  if (lines->upstream) {
    const std::string certificate = encode_pem("CERTIFICATE", issuance.certificate_der);
    drafts.push_back({OutboxChannel::upstream,
                      registration_message(certificate, lines->policy.send_name ? issuance.name : std::string(), lines->policy.group)});
  }
  if (lines->events) drafts.push_back({OutboxChannel::events, issuance.audit_body});
  return drafts;
}

Task<Status> Dispatch::record_refusal(std::string audit_body, Instant at) {
  const std::shared_ptr<Courier> events = lines_.get()->events;
  if (!events) co_return co_await registry_.append_audit(std::move(audit_body));
  OutboxDraft draft{OutboxChannel::events, audit_body};
  Status written = co_await outbox_.append_event(std::move(audit_body), std::move(draft), at);
  events->notify();
  co_return written;
}

void Dispatch::recorded() {
  const auto lines = lines_.get();
  if (lines->upstream) lines->upstream->notify();
  if (lines->events) lines->events->notify();
}

Task<Status> Dispatch::confirm(RowId certificate) {
  const auto lines = lines_.get();
  if (!lines->upstream || !lines->policy.must_know_first) co_return Status();
  co_return co_await lines->upstream->confirm(certificate);
}

}  // namespace birthmark::core
