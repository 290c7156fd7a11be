// SPDX-License-Identifier: Apache-2.0
#include "core/lifecycle.h"

namespace birthmark::core {
namespace {

std::string act_body(AuditEvent event, Instant at, const DeviceIdentity& identity, const OperatorAct& act) {
  return audit_body(event, at,
                    {{"factory", identity.factory},
                     {"ecosystem", std::string(to_string(identity.ecosystem))},
                     {"id", identity.external_id},
                     {"reason", act.reason},
                     {"actor", act.actor}});
}

}  // namespace

Task<Result<DeviceRecord>> Lifecycle::deny(DeviceIdentity identity, OperatorAct act) {
  if (act.reason.empty()) co_return fail(ErrorCode::invalid, "a reason is required");
  const Instant now = clock_.now();
  std::string body = act_body(AuditEvent::device_denied, now, identity, act);
  co_return co_await registry_.deny(std::move(identity), now, std::move(body));
}

Task<Result<DeviceRecord>> Lifecycle::allow(DeviceIdentity identity, OperatorAct act) {
  if (act.reason.empty()) co_return fail(ErrorCode::invalid, "a reason is required");
  const Instant now = clock_.now();
  std::string body = act_body(AuditEvent::device_allowed, now, identity, act);
  co_return co_await registry_.allow(std::move(identity), now, std::move(body));
}

}  // namespace birthmark::core
