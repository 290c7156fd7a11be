// SPDX-License-Identifier: Apache-2.0
// Made-up devices for registry tests: every value follows from a number, so that a test can name a device and check what came back.
#pragma once

#include <string>

#include "base/text.h"
#include "core/ports/registry.h"
#include "digest_codec.h"

namespace birthmark::testing {

inline constexpr std::int64_t kSampleEpochMs = 1790000000000;  // autumn 2026

template <class Fixed>
[[nodiscard]] inline Fixed sample_octets(std::uint64_t number, std::uint8_t kind) {
  Fixed made;
  made.octets[0] = kind;
  for (std::size_t i = 0; i < 8; ++i) made.octets[Fixed::kSize - 1 - i] = static_cast<std::uint8_t>(number >> (8 * i));
  return made;
}

// A lower-case UUID; neighbours differ in their first octets, as random ones do.
[[nodiscard]] inline std::string sample_uuid(std::uint64_t number) {
  Uuid uuid{};
  std::uint64_t mixed = (number + 1) * 0x9e3779b97f4a7c15U;
  for (std::size_t i = 0; i < 8; ++i) uuid[i] = static_cast<std::uint8_t>(mixed >> (8 * (7 - i)));
  for (std::size_t i = 0; i < 8; ++i) uuid[8 + i] = static_cast<std::uint8_t>(number >> (8 * (7 - i)));
  return format_uuid(uuid);
}

[[nodiscard]] inline core::DeviceIdentity sample_identity(std::uint64_t number) {
  core::DeviceIdentity identity;
  identity.factory = "factory-a";
  identity.external_id = sample_uuid(number);
  return identity;
}

[[nodiscard]] inline SpkiHash sample_key(std::uint64_t number) {
  return sample_octets<SpkiHash>(number, 0x4b);
}

// Ascending like the product's: time first, then what makes it unique.
[[nodiscard]] inline Serial sample_serial(std::uint64_t number) {
  return *Serial::from_magnitude(sample_octets<FixedBytes<struct SampleSerialTag, 16>>(number, 0x01).view());
}

[[nodiscard]] inline Bytes sample_certificate(std::uint64_t number) {
  const std::string text = "certificate " + std::to_string(number);
  Bytes der = to_bytes(as_bytes(text));
  der.resize(520, 0x5a);
  return der;
}

// The body that core writes for a record, field by field (core/enroller.cpp): audit_verifier relies on these names.
[[nodiscard]] inline std::string sample_audit_body(core::AuditEvent event, const core::IssuanceRecord& record) {
  const Sha256Digest fingerprint = DigestCodec().sha256(record.certificate_der);
  return core::audit_body(event, record.issued_at,
                          {{"factory", record.identity.factory},
                           {"ecosystem", std::string(to_string(record.identity.ecosystem))},
                           {"id", record.identity.external_id},
                           {"device_id", to_hex(record.device_id.view())},
                           {"key", to_hex(record.spki_sha256.view())},
                           {"serial", record.serial.hex()},
                           {"certificate", to_hex(fingerprint.view())},
                           {"issuer", std::to_string(record.issuer)},
                           {"not_before", format_rfc3339(record.not_before)},
                           {"not_after", format_rfc3339(record.not_after)},
                           {"production", record.production ? "true" : "false"},
                           {"name", record.name},
                           {"hardware_id", record.hardware_id},
                           {"station", record.station},
                           {"peer", "192.0.2.7"},
                           {"proof", "open_network"}});
}

[[nodiscard]] inline std::string sample_operator_body(core::AuditEvent event, const core::DeviceIdentity& identity, Instant at) {
  return core::audit_body(event, at,
                          {{"factory", identity.factory},
                           {"ecosystem", std::string(to_string(identity.ecosystem))},
                           {"id", identity.external_id},
                           {"reason", "a test"},
                           {"actor", "tester"}});
}

// Device `device` with its key number `key` and the certificate number `certificate`.
[[nodiscard]] inline core::IssuanceRecord sample_issuance(std::uint64_t device, std::uint64_t key, std::uint64_t certificate) {
  core::IssuanceRecord record;
  record.identity = sample_identity(device);
  record.device_id = sample_octets<DeviceId>(device, 0x44);
  record.name = "device " + std::to_string(device);
  record.hardware_id = "intel-corei7-64";
  record.production = device % 2 == 0;
  record.station = "station-" + std::to_string(device % 16);
  record.spki_sha256 = sample_key(key);
  record.issuer = 1;
  record.serial = sample_serial(certificate);
  record.issued_at = from_unix_ms(kSampleEpochMs + static_cast<std::int64_t>(certificate));
  record.not_before = from_unix_ms(kSampleEpochMs);
  record.not_after = from_unix_ms(kSampleEpochMs + 630720000000);
  record.delivery = core::Delivery::unanswered;
  record.certificate_der = sample_certificate(certificate);
  record.audit_body = sample_audit_body(core::AuditEvent::device_issued, record);
  return record;
}

[[nodiscard]] inline core::TrustChange sample_trust() {
  core::AuthorityRecord root;
  root.factory = "factory-a";
  root.role = core::AuthorityRole::root;
  root.der = {0x30, 0x01};
  root.changed_at = from_unix_ms(kSampleEpochMs);
  core::AuthorityRecord device_ca = root;
  device_ca.role = core::AuthorityRole::device_ca;
  device_ca.der = {0x30, 0x02};
  core::TrustChange change;
  change.upserts = {device_ca, root};
  change.audit_bodies = {core::audit_body(core::AuditEvent::trust_changed, root.changed_at, {{"factory", "factory-a"}})};
  return change;
}

}  // namespace birthmark::testing
