// SPDX-License-Identifier: Apache-2.0
#include "core/lifecycle.h"

#include <algorithm>

#include "base/text.h"

namespace birthmark::core {
namespace {

constexpr std::size_t kLongestName = 256;
constexpr std::size_t kLongestGroup = 64;

tl::unexpected<Error> no_reason() {
  return fail(ErrorCode::invalid, "a reason is required");
}

std::string act_body(AuditEvent event, Instant at, const DeviceIdentity& identity, const OperatorAct& act) {
  return audit_body(event, at,
                    {{"factory", identity.factory},
                     {"ecosystem", std::string(to_string(identity.ecosystem))},
                     {"id", identity.external_id},
                     {"reason", act.reason},
                     {"actor", act.actor}});
}

std::string change_body(AuditEvent event, Instant at, const DeviceIdentity& identity, const DeviceChange& change, const OperatorAct& act) {
  const std::string what = change.name ? "name" : change.group ? "group" : change.rekey_until ? "rekey_until" : "key";
  const std::string value = change.name          ? *change.name
                            : change.group       ? *change.group
                            : change.rekey_until ? format_rfc3339(*change.rekey_until)
                                                 : std::string();
  return audit_body(event, at,
                    {{"factory", identity.factory},
                     {"ecosystem", std::string(to_string(identity.ecosystem))},
                     {"id", identity.external_id},
                     {"field", what},
                     {"value", value},
                     {"reason", act.reason},
                     {"actor", act.actor}});
}

Status check_name(std::string_view name) {
  const bool one_line = std::none_of(name.begin(), name.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
  if (!name.empty() && name.size() <= kLongestName && one_line && is_utf8(name)) return {};
  return fail(ErrorCode::invalid, "a device name is one line of 1 to 256 bytes");
}

}  // namespace

Status check_group_name(std::string_view group) {
  const bool plain = std::all_of(group.begin(), group.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
  });
  if (plain && group.size() <= kLongestGroup) return {};
  return fail(ErrorCode::invalid, "a group name has up to 64 letters, digits, dots, dashes and underscores");
}

Task<Result<DeviceRecord>> Lifecycle::deny(DeviceIdentity identity, OperatorAct act) {
  if (act.reason.empty()) co_return no_reason();
  const Instant now = clock_.now();
  std::string body = act_body(AuditEvent::device_denied, now, identity, act);
  co_return co_await registry_.deny(std::move(identity), now, std::move(body));
}

Task<Result<DeviceRecord>> Lifecycle::allow(DeviceIdentity identity, OperatorAct act) {
  if (act.reason.empty()) co_return no_reason();
  const Instant now = clock_.now();
  std::string body = act_body(AuditEvent::device_allowed, now, identity, act);
  co_return co_await registry_.allow(std::move(identity), now, std::move(body));
}

Task<Result<DeviceRecord>> Lifecycle::remove(DeviceIdentity identity, OperatorAct act) {
  if (act.reason.empty()) co_return no_reason();
  const Instant now = clock_.now();
  std::string body = act_body(AuditEvent::device_deleted, now, identity, act);
  co_return co_await registry_.remove(std::move(identity), now, std::move(body));
}

Task<Result<DeviceRecord>> Lifecycle::rename(DeviceIdentity identity, std::string name, OperatorAct act) {
  if (auto good = check_name(name); !good) co_return forward_error(good);
  DeviceChange wanted;
  wanted.name = std::move(name);
  co_return co_await change(std::move(identity), std::move(wanted), AuditEvent::device_changed, std::move(act));
}

Task<Result<DeviceRecord>> Lifecycle::move_to_group(DeviceIdentity identity, std::string group, OperatorAct act) {
  if (auto good = check_group_name(group); !good) co_return forward_error(good);
  DeviceChange wanted;
  wanted.group = std::move(group);
  co_return co_await change(std::move(identity), std::move(wanted), AuditEvent::device_changed, std::move(act));
}

Task<Result<DeviceRecord>> Lifecycle::allow_rekey(DeviceIdentity identity, Duration lasts, OperatorAct act) {
  if (lasts <= Duration::zero()) co_return fail(ErrorCode::invalid, "a re-key must be allowed for longer than nothing");
  DeviceChange wanted;
  wanted.rekey_until = clock_.now() + lasts;
  co_return co_await change(std::move(identity), std::move(wanted), AuditEvent::device_rekey_allowed, std::move(act));
}

Task<Result<DeviceRecord>> Lifecycle::forget_key(DeviceIdentity identity, OperatorAct act) {
  DeviceChange wanted;
  wanted.forget_key = true;
  co_return co_await change(std::move(identity), std::move(wanted), AuditEvent::device_key_forgotten, std::move(act));
}

Task<Result<DeviceRecord>> Lifecycle::change(DeviceIdentity identity, DeviceChange wanted, AuditEvent event, OperatorAct act) {
  if (act.reason.empty()) co_return no_reason();
  const Instant now = clock_.now();
  std::string body = change_body(event, now, identity, wanted, act);
  co_return co_await registry_.change(std::move(identity), std::move(wanted), now, std::move(body));
}

}  // namespace birthmark::core
