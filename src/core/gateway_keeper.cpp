// SPDX-License-Identifier: Apache-2.0
#include "core/gateway_keeper.h"

#include "base/text.h"
#include "core/issuance_policy.h"

namespace birthmark::core {
namespace {

Refusal unavailable(const Error& error, std::string serial_number) {
  return {
      RefusalReason::storage_unavailable, RefusalKind::unavailable, error.public_message, error.describe(), std::move(serial_number), {}};
}

Refusal taken(std::string serial_number) {
  return {RefusalReason::key_conflict, RefusalKind::conflict, std::string(kGatewayExists), {}, std::move(serial_number), {}};
}

Refusal denied(std::string serial_number) {
  std::string text = "Device(" + serial_number + ") is on the denied list";
  return {RefusalReason::denied, RefusalKind::forbidden, std::move(text), {}, std::move(serial_number), {}};
}

}  // namespace

Result<DeviceIdentity> GatewayKeeper::identity_of(const std::string& serial_number) const {
  return identify(factory_, Ecosystem::izuma, serial_number, DeviceIdRule::line);
}

Task<GatewayKeeper::Standing> GatewayKeeper::look(std::string serial_number, std::string target, std::string station) {
  const auto identity = identity_of(serial_number);
  if (!identity) {
    co_return Refusal{RefusalReason::bad_device_id, RefusalKind::bad_request, identity.error().public_message, {}, serial_number, {}};
  }
  const auto known = registry_.find(*identity);
  if (!known) co_return unavailable(known.error(), serial_number);
  if (!*known || (*known)->status == DeviceStatus::released) co_return Free{};
  if ((*known)->status == DeviceStatus::denied) co_return denied(serial_number);
  const auto now = clock_.trusted_now();
  if (!now) co_return unavailable(now.error(), serial_number);
  const auto newest = gateways_.newest(*identity);
  if (!newest) co_return unavailable(newest.error(), serial_number);
  if (*newest && (*newest)->state == GatewayState::issued) {
    const DeviceIdentity left = *identity;
    const RowId certificate = (*newest)->certificate;
    std::string reason = "an earlier attempt ended before the gateway's answer was recorded";
    const Status freed = co_await failed(left, certificate, std::move(reason));
    if (!freed) co_return unavailable(freed.error(), serial_number);
    co_return Free{};
  }
  if ((*known)->rekey_until && *now <= *(*known)->rekey_until) co_return Free{};
  if (!*newest || (*newest)->state != GatewayState::provisioned || !(*newest)->settled_at) co_return taken(serial_number);
  const GatewayRecord& gateway = **newest;
  const bool same = gateway.draft.target == target && gateway.station == station && gateway.certificate != 0;
  if (same && *now - *gateway.settled_at <= kGatewayReplayWindow) co_return gateway;
  co_return taken(serial_number);
}

Result<std::optional<GatewayRecord>> GatewayKeeper::provisioned(const std::string& serial_number) {
  const auto identity = identity_of(serial_number);
  if (!identity) return std::optional<GatewayRecord>();
  BIRTHMARK_TRY(const auto known, registry_.find(*identity));
  if (!known || known->status != DeviceStatus::active) return std::optional<GatewayRecord>();
  BIRTHMARK_TRY(auto newest, gateways_.newest(*identity));
  if (!newest || newest->state != GatewayState::provisioned) return std::optional<GatewayRecord>();
  return newest;
}

Task<Result<GatewayRecord>> GatewayKeeper::provisioned_now(Enrolled enrolled, std::string enrollment_id, std::string target) {
  const auto now = clock_.trusted_now();
  if (!now) co_return tl::make_unexpected(now.error());
  GatewaySettlement settlement{enrolled.certificate, enrolled.identity, *now, std::move(enrollment_id), {}};
  settlement.audit_body = audit_body(AuditEvent::gateway_provisioned, *now,
                                     {{"factory", factory_},
                                      {"ecosystem", std::string(to_string(Ecosystem::izuma))},
                                      {"id", enrolled.identity.external_id},
                                      {"certificate", to_hex(enrolled.fingerprint.view())},
                                      {"target", std::move(target)}});
  const auto settled = co_await gateways_.settle(std::move(settlement));
  if (!settled) co_return tl::make_unexpected(settled.error());
  if (!*settled) co_return fail(ErrorCode::conflict, "the device was denied or forgotten while its gateway was being provisioned");
  auto newest = gateways_.newest(enrolled.identity);
  if (!newest) co_return forward_error(newest);
  if (!*newest) co_return fail(ErrorCode::internal, "the gateway's record is gone");
  co_return std::move(**newest);
}

Task<Status> GatewayKeeper::failed(DeviceIdentity identity, RowId certificate, std::string reason) {
  const auto now = clock_.trusted_now();
  if (!now) co_return tl::make_unexpected(now.error());
  GatewaySettlement settlement{certificate, identity, *now, {}, {}};
  settlement.audit_body = audit_body(AuditEvent::device_released, *now,
                                     {{"factory", factory_},
                                      {"ecosystem", std::string(to_string(Ecosystem::izuma))},
                                      {"id", identity.external_id},
                                      {"reason", std::move(reason)},
                                      {"actor", "pep"}});
  const auto settled = co_await gateways_.settle(std::move(settlement));
  if (!settled) co_return tl::make_unexpected(settled.error());
  co_return Status();
}

Task<Result<std::size_t>> GatewayKeeper::recover() {
  const auto left = gateways_.unsettled(factory_);
  if (!left) co_return tl::make_unexpected(left.error());
  for (const GatewayRecord& gateway : *left) {
    std::string reason = "the server ended before the gateway's answer was recorded";
    const Status freed = co_await failed(gateway.identity, gateway.certificate, std::move(reason));
    if (!freed) co_return tl::make_unexpected(freed.error());
  }
  co_return left->size();
}

}  // namespace birthmark::core
