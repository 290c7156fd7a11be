// SPDX-License-Identifier: Apache-2.0
// What the audit says and how its records hang together. Stores append records; this file decides what they are.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include "base/ids.h"
#include "base/time.h"
#include "core/ports/x509_codec.h"

namespace birthmark::core {

// The kinds of record. The names are stored in the bodies; they never change.
enum class AuditEvent : std::uint8_t {
  device_issued,         // a first certificate, or a further one for the same key
  device_superseded,     // another key took over: by the unseen rule, or because an operator allowed it
  device_refused,        // the first refusal per identity, reason, peer and minute; `repeats` counts those before it that were not written
  device_denied,         // an operator put an identity on the deny list
  device_allowed,        // an operator took it off: the identity is forgotten and free
  device_deleted,        // an operator deleted it: denied from now on
  device_changed,        // an operator gave it another name or group
  device_rekey_allowed,  // an operator lets one enrollment bring another key
  device_key_forgotten,  // an operator made it forget its key: the next enrollment makes it anew
  device_imported,       // it came from another system, with its key
  device_released,       // an operator freed an identity whose certificate was never seen; it is as free as one that was allowed
  order_created,
  order_extended,  // a list was added
  order_closed,
  device_admitted,  // a certificate made elsewhere was seen at the gateway for the first time, and is the device's now
  device_renewed,   // a certificate for the device's next key; the current one stays until the next is used
  device_rekeyed,   // the next key was used: it is the current one now
  config_changed,   // configuration for devices, written by an operator or the device
  token_created,    // an API token: its id, scopes and station, never itself
  token_revoked,
  station_added,  // a certificate with which a station registers
  station_revoked,
  operator_added,  // a certificate with which an operator uses the admin listener
  operator_revoked,
  settings_changed,     // a running server took over a changed configuration
  trust_changed,        // root, device CAs or TLS certificate installed, disabled, enabled or revoked
  clock_accepted,       // an operator confirmed the clock after a jump
  upstream_retried,     // an operator had messages to the upstream sent again
  upstream_dropped,     // an operator gave messages to the upstream up
  gateway_provisioned,  // an Izuma gateway holds the identity that device_issued recorded
  gateway_changed,      // an operator noted where a gateway went
  checkpoint,           // the heads of all streams
};
[[nodiscard]] std::string_view to_string(AuditEvent event);

struct AuditField {
  std::string_view name;
  std::string value;
};

// The canonical body of a record: one JSON object, {"event":...,"at":...,<fields in the order given>}, all values strings, no spaces.
// These bytes are what is hashed and stored; nothing ever rewrites them.
[[nodiscard]] std::string audit_body(AuditEvent event, Instant at, std::initializer_list<AuditField> fields);

// One more field behind those of a body.
void add_field(std::string& body, const AuditField& field);

// The link of record `sequence` (from 1) in `stream`: SHA-256 over a version tag, stream, sequence, the previous hash (zeros for the
// first) and the body.
[[nodiscard]] Sha256Digest audit_link(const X509Codec& codec, std::uint32_t stream, std::uint64_t sequence, const Sha256Digest& previous,
                                      std::string_view body);

// The state of a stream: how many records, and the hash of the last.
struct AuditHead {
  std::uint32_t stream = 1;
  std::uint64_t count = 0;
  Sha256Digest hash;
  bool operator==(const AuditHead&) const = default;
};
// "1:4711:<64 hex>", what `audit head` prints and `audit verify --expect` takes.
[[nodiscard]] std::string format_audit_head(const AuditHead& head);
[[nodiscard]] Result<AuditHead> parse_audit_head(std::string_view text);

}  // namespace birthmark::core
