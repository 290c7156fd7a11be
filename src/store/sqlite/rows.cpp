// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/rows.h"

#include <algorithm>

namespace birthmark::store {
namespace {

template <class Fixed>
Fixed fixed(Statement& row, int column) {
  return Fixed::from(row.blob(column)).value_or(Fixed{});
}

core::CertificateRecord read_certificate(Statement& row) {
  core::CertificateRecord certificate;
  certificate.row = row.integer(10);
  certificate.issuer = row.integer(11);
  certificate.serial = Serial::from_magnitude(row.blob(12)).value_or(Serial{});
  certificate.not_before = from_unix_ms(row.integer(13));
  certificate.not_after = from_unix_ms(row.integer(14));
  certificate.issued_at = from_unix_ms(row.integer(15));
  certificate.delivery = static_cast<core::Delivery>(row.integer(16));
  certificate.station = row.text(17);
  // 32 octets are no certificate: of a gateway's only the SHA-256 is kept.
  certificate.only_fingerprint = Fingerprint::from(row.blob(18));
  if (!certificate.only_fingerprint) certificate.der = to_bytes(row.blob(18));
  return certificate;
}

}  // namespace

std::optional<Instant> read_optional_instant(Statement& row, int column) {
  if (row.is_null(column)) return std::nullopt;
  return from_unix_ms(row.integer(column));
}

void bind_optional_instant(Statement& statement, int index, const std::optional<Instant>& at) {
  at ? statement.bind(index, to_unix_ms(*at)) : statement.bind_null(index);
}

std::string read_external_id(Statement& row, int column) {
  if (!row.is_blob(column)) return std::string(row.text(column));
  const ByteView octets = row.blob(column);
  Uuid uuid{};
  std::copy_n(octets.begin(), std::min(octets.size(), uuid.size()), uuid.begin());
  return format_uuid(uuid);
}

ExternalIdKey::ExternalIdKey(std::string_view external_id) : text_(external_id) {
  const bool lower_case = std::none_of(external_id.begin(), external_id.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
  if (lower_case) uuid_ = parse_uuid(external_id);
}

void ExternalIdKey::bind(Statement& statement, int index) const {
  if (uuid_)
    statement.bind(index, ByteView(*uuid_));
  else
    statement.bind(index, text_);
}

core::DeviceRecord read_device(Statement& row, const core::DeviceIdentity& identity) {
  core::DeviceRecord device;
  device.row = row.integer(0);
  device.identity = identity;
  device.device_id = fixed<DeviceId>(row, 1);
  device.status = static_cast<core::DeviceStatus>(row.integer(2));
  device.name = row.text(3);
  device.hardware_id = row.text(4);
  device.production = row.integer(5) != 0;
  device.station = row.text(6);
  device.created_at = from_unix_ms(row.integer(7));
  device.last_seen = read_optional_instant(row, 8);
  if (!row.is_null(9)) device.current_key = fixed<SpkiHash>(row, 9);
  if (!row.is_null(10)) device.certificate = read_certificate(row);
  device.group = row.text(19);
  device.rekey_until = read_optional_instant(row, 20);
  device.deleted = row.integer(21) != 0;
  return device;
}

core::DeviceSummary read_summary(Statement& row) {
  core::DeviceSummary summary;
  summary.row = row.integer(0);
  summary.identity.factory = row.text(1);
  summary.identity.ecosystem = static_cast<core::Ecosystem>(row.integer(2));
  summary.identity.external_id = read_external_id(row, 3);
  summary.status = static_cast<core::DeviceStatus>(row.integer(4));
  summary.name = row.text(5);
  summary.hardware_id = row.text(6);
  summary.production = row.integer(7) != 0;
  summary.station = row.text(8);
  summary.created_at = from_unix_ms(row.integer(9));
  summary.last_seen = read_optional_instant(row, 10);
  if (!row.is_null(11)) summary.current_key = fixed<SpkiHash>(row, 11);
  if (!row.is_null(12)) summary.serial = Serial::from_magnitude(row.blob(12)).value_or(Serial{});
  if (!row.is_null(13)) summary.not_after = from_unix_ms(row.integer(13));
  summary.group = row.text(14);
  summary.deleted = row.integer(15) != 0;
  return summary;
}

core::AuthorityRecord read_authority(Statement& row) {
  core::AuthorityRecord authority;
  authority.row = row.integer(0);
  authority.factory = row.text(1);
  authority.role = static_cast<core::AuthorityRole>(row.integer(2));
  authority.state = static_cast<core::AuthorityState>(row.integer(3));
  authority.changed_at = from_unix_ms(row.integer(4));
  authority.der = to_bytes(row.blob(5));
  return authority;
}

core::OutboxMessage read_message(Statement& row) {
  core::OutboxMessage message;
  message.row = row.integer(0);
  message.identity.factory = row.text(1);
  message.identity.ecosystem = static_cast<core::Ecosystem>(row.integer(2));
  message.identity.external_id = read_external_id(row, 3);
  message.certificate = row.integer(4);
  message.attempts = static_cast<std::uint32_t>(row.integer(5));
  message.may_be_there = row.integer(6) != 0;
  message.body = row.text(7);
  if (!row.is_null(8)) message.key = SpkiHash::from(row.blob(8));
  return message;
}

core::OutboxEntry read_entry(Statement& row) {
  core::OutboxEntry entry;
  entry.row = row.integer(0);
  entry.state = static_cast<core::OutboxState>(row.integer(1));
  entry.external_id = read_external_id(row, 2);
  entry.attempts = static_cast<std::uint32_t>(row.integer(3));
  entry.created_at = from_unix_ms(row.integer(4));
  entry.due_at = from_unix_ms(row.integer(5));
  entry.note = row.text(6);
  return entry;
}

}  // namespace birthmark::store
