// SPDX-License-Identifier: Apache-2.0
#include "core/dispatch.h"

#include "base/pem.h"

namespace birthmark::core {

std::vector<OutboxDraft> Dispatch::compose(const IssuanceRecord& issuance) const {
  const std::string certificate = encode_pem("CERTIFICATE", issuance.certificate_der);
  OutboxDraft draft;
  draft.channel = OutboxChannel::upstream;
  draft.body = registration_message(certificate, policy_.send_name ? issuance.name : std::string(), policy_.group);
  return {std::move(draft)};
}

Task<Status> Dispatch::confirm(RowId certificate) {
  if (!policy_.must_know_first) co_return Status();
  co_return co_await upstream_.confirm(certificate);
}

}  // namespace birthmark::core
