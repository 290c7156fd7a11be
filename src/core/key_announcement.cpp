// SPDX-License-Identifier: Apache-2.0
#include "core/key_announcement.h"

#include "base/text.h"
#include "core/device_gate.h"

namespace birthmark::core {
namespace {

constexpr const char* kNextKey = "next-key";

}  // namespace

// Body: the key it was announced with, a space, the next one.
FieldAppend key_announcement(const DeviceIdentity& identity, const SpkiHash& current, const SpkiHash& next, Instant now) {
  FieldAppend announcement;
  announcement.key = device_field(identity, kNextKey);
  announcement.bodies = {to_hex(current.view()) + " " + to_hex(next.view())};
  announcement.at = now;
  announcement.audit_body =
      audit_body(AuditEvent::config_changed, now,
                 {{"factory", identity.factory}, {"what", "next-key"}, {"device", identity.external_id}, {"key", to_hex(next.view())}});
  return announcement;
}

Result<std::optional<SpkiHash>> announced_key(FieldLog& field, const DeviceIdentity& identity, const std::optional<SpkiHash>& current) {
  if (!current) return std::nullopt;
  BIRTHMARK_TRY(const auto newest, field.newest(device_field(identity, kNextKey), 1));
  if (newest.empty()) return std::nullopt;
  const std::string& body = newest.front().body;
  const std::string by = to_hex(current->view()) + " ";
  if (!body.starts_with(by)) return std::nullopt;
  const auto next = from_hex(std::string_view(body).substr(by.size()));
  auto key = next ? SpkiHash::from(*next) : std::optional<SpkiHash>{};
  if (!key || *key == *current) return std::nullopt;
  return key;
}

}  // namespace birthmark::core
