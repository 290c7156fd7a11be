// SPDX-License-Identifier: Apache-2.0
// Port: the place that knows every device. Adapters: store/sqlite, store/memory; both pass tests/contract/registry_contract.
//
// There is no begin or commit: each writing call is one durable transaction that checks its preconditions inside, writes the audit
// record with the change, and answers only when all of it is on disk. Reads complete inline and never wait for the writer.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "base/task.h"
#include "base/time.h"
#include "core/audit.h"
#include "core/gateway_draft.h"
#include "core/identity.h"
#include "core/outbox_draft.h"

namespace birthmark::core {

// The numbers are stored; they never change.
enum class DeviceStatus : std::uint8_t {
  active = 1,
  denied = 2,    // on the deny list: refused everywhere
  released = 3,  // taken off the deny list: forgotten, the next enrollment with any key makes it anew
};
[[nodiscard]] std::string_view to_string(DeviceStatus status);

enum class CredentialState : std::uint8_t { pending = 1, current = 2, superseded = 3, denied = 4 };

// Whether the device is known to hold the answer that carried a certificate; the unseen rule asks.
enum class Delivery : std::uint8_t {
  untracked = 0,   // not watched: counts as delivered
  unanswered = 1,  // the answer was not (yet) acknowledged whole
  answered = 2,    // the peer acknowledged every byte
  presented = 3,   // the certificate was seen at gateway or EST
};

// Rows of the registry's own numbering; unique within one registry, ascending with time.
using RowId = std::int64_t;

struct CertificateRecord {
  RowId row = 0;
  RowId issuer = 0;  // AuthorityRecord::row
  Serial serial;
  Instant not_before;
  Instant not_after;
  Instant issued_at;
  Delivery delivery = Delivery::untracked;
  std::string station;  // who asked for it: a station's name, or the peer's address
  Bytes der;
  // In the place of der where only that is kept (IssuanceRecord::only_fingerprint).
  std::optional<Fingerprint> only_fingerprint{};
};

struct DeviceRecord {
  RowId row = 0;
  DeviceIdentity identity;
  DeviceId device_id;
  DeviceStatus status = DeviceStatus::active;
  std::string name;
  std::string hardware_id;
  bool production = false;
  bool deleted = false;  // denied because an operator deleted it
  std::string station;
  std::string group;  // empty: none
  Instant created_at;
  std::optional<Instant> last_seen;
  std::optional<Instant> rekey_until;  // until then one enrollment may bring another key
  // The current credential and its newest certificate; absent for denied identities never enrolled, and for released ones.
  std::optional<SpkiHash> current_key;
  std::optional<CertificateRecord> certificate;
};

// A list row: what operators see. Narrow on purpose, no certificate bytes.
struct DeviceSummary {
  RowId row = 0;
  DeviceIdentity identity;
  DeviceStatus status = DeviceStatus::active;
  std::string name;
  std::string hardware_id;
  bool production = false;
  bool deleted = false;
  std::string station;
  std::string group;
  Instant created_at;
  std::optional<Instant> last_seen;
  std::optional<SpkiHash> current_key;
  std::optional<Serial> serial;
  std::optional<Instant> not_after;
};

// What is not set does not filter.
struct DeviceFilter {
  std::optional<DeviceStatus> status;
  std::optional<Ecosystem> ecosystem;
  std::string id_prefix;  // of the external id
  std::optional<bool> production;
  std::optional<std::string> hardware_id;
  std::optional<std::string> station;
  std::optional<std::string> group;
  std::optional<SpkiHash> key;  // the current one
  std::optional<Serial> serial;
  std::optional<Instant> created_from;
  std::optional<Instant> created_before;
  std::optional<Instant> expires_before;  // the newest certificate
  std::optional<bool> test;               // whether it was made on a test order
  std::string text;                       // within the name, hardware id, station or group; ASCII letters in any case
};

// What an operator changes about a known device; what is not set stays.
struct DeviceChange {
  std::optional<std::string> name;
  std::optional<std::string> group;
  std::optional<Instant> rekey_until;  // until then one enrollment may bring another key, which supersedes the current one
  bool forget_key = false;             // status released: the next enrollment with any key makes the device anew
};

// One durable enrollment: device (made or updated), credential, certificate and audit record.
struct IssuanceRecord {
  DeviceIdentity identity;
  DeviceId device_id;  // used when the identity is new
  std::string name;
  std::string hardware_id;
  bool production = false;
  std::string station;
  std::string group;  // of a device made by this; empty: none, and a known device keeps its own
  SpkiHash spki_sha256;
  RowId issuer = 0;
  Serial serial;
  Instant not_before;
  Instant not_after;
  Instant issued_at;
  Delivery delivery = Delivery::untracked;
  Bytes certificate_der;
  std::optional<Fingerprint> only_fingerprint{};  // certificate_der is empty: whoever holds the certificate is not to be found here
  std::string audit_body;
  std::vector<OutboxDraft> outbox;        // written in the same transaction; see ports/outbox.h
  std::optional<GatewayDraft> gateway{};  // the same; see ports/gateways.h
};

// What must still hold inside the transaction.
struct Preconditions {
  // The identity's current key when the decision was made; empty: it had none (unknown, or released). A denied identity never passes.
  std::optional<SpkiHash> current_key;
  // Set for the unseen rule: this certificate must still be the newest and not answered or presented. Its credential becomes superseded,
  // and so does its message to the upstream, which must not have been sent yet.
  std::optional<RowId> unseen_certificate;
  bool rekey_allowed = false;  // DeviceChange::rekey_until must not be over at IssuanceRecord::issued_at
  std::uint64_t trust_epoch = 0;
  // The production order (core/ports/orders.h) that the identity takes a place in, unless it has one in any already.
  std::optional<RowId> order{};
};

// What record() found. On a conflict nothing was written: read the identity again and decide anew. Not so after upstream_has_key: the key
// that the unseen rule would replace is, or may be, known upstream, and asking again changes nothing.
enum class RecordConflict : std::uint8_t { none, identity_changed, denied, trust_changed, serial_taken, upstream_has_key, order_refused };
struct RecordOutcome {
  RecordConflict conflict = RecordConflict::none;
  RowId certificate = 0;  // of the recorded certificate
};

// gateway_ca: issues the bootstrap certificates of Izuma Edge gateways, and is trusted for nothing here.
enum class AuthorityRole : std::uint8_t { root = 1, device_ca = 2, tls_server = 3, est_server = 4, gateway_ca = 5 };
enum class AuthorityState : std::uint8_t { active = 1, disabled = 2, revoked = 3, replaced = 4 };
[[nodiscard]] std::string_view to_string(AuthorityRole role);
[[nodiscard]] std::string_view to_string(AuthorityState state);

// A certificate of the factory's PKI as the server trusts it.
struct AuthorityRecord {
  RowId row = 0;  // 0 in a TrustChange for one that is new
  std::string factory;
  AuthorityRole role = AuthorityRole::device_ca;
  AuthorityState state = AuthorityState::active;
  Bytes der;
  Instant changed_at;
};

// A whole trust change: applied together or not at all. Raises the trust epoch.
struct TrustChange {
  std::vector<AuthorityRecord> upserts;  // row 0: new; otherwise the state of that row is set
  std::vector<std::string> audit_bodies;
};

struct AuditRecord {
  std::uint32_t stream = 1;
  std::uint64_t sequence = 0;
  Sha256Digest hash;
  std::string body;
};

struct RegistryTotals {
  std::uint64_t devices = 0;  // identities of any status
  std::uint64_t denied = 0;
  std::uint64_t certificates = 0;
};

class Registry {
 public:
  virtual ~Registry() = default;

  // --- devices -----------------------------------------------------------------------------------------------------------------
  [[nodiscard]] virtual Result<std::optional<DeviceRecord>> find(const DeviceIdentity& identity) = 0;
  [[nodiscard]] virtual Task<Result<RecordOutcome>> record(IssuanceRecord issuance, Preconditions preconditions) = 0;
  // How many callers more (or fewer) are on their way to record(): a store that syncs once for many waits a moment for them. A hint.
  virtual void expect_records(int change) = 0;
  // The device acknowledged the answer that carried this certificate. Written with the next batch; not waited for; never lowers.
  virtual void note_delivery(RowId certificate, Delivery delivery) = 0;
  // Puts the identity on the deny list, making it when it is unknown. Its current credential becomes denied.
  [[nodiscard]] virtual Task<Result<DeviceRecord>> deny(DeviceIdentity identity, Instant at, std::string audit_body) = 0;
  // The same for a device that is known and no longer wanted. not_found when it is unknown.
  [[nodiscard]] virtual Task<Result<DeviceRecord>> remove(DeviceIdentity identity, Instant at, std::string audit_body) = 0;
  // not_found when unknown; conflict when a denied device should get or forget a key, or one without a key forget it.
  [[nodiscard]] virtual Task<Result<DeviceRecord>> change(DeviceIdentity identity, DeviceChange change, Instant at,
                                                          std::string audit_body) = 0;
  // Takes it off: status released, no current credential. not_found when unknown, conflict when it is not denied.
  [[nodiscard]] virtual Task<Result<DeviceRecord>> allow(DeviceIdentity identity, Instant at, std::string audit_body) = 0;

  // Rows after `after` (0: from the start) in order of creation, at most `limit`. Each call is its own short read transaction.
  [[nodiscard]] virtual Result<std::vector<DeviceSummary>> list(const DeviceFilter& filter, RowId after, std::size_t limit) = 0;
  [[nodiscard]] virtual Result<RegistryTotals> totals() = 0;

  // --- trust -------------------------------------------------------------------------------------------------------------------
  [[nodiscard]] virtual Result<std::vector<AuthorityRecord>> authorities() = 0;
  [[nodiscard]] virtual Result<std::uint64_t> trust_epoch() = 0;
  [[nodiscard]] virtual Task<Status> apply(TrustChange change) = 0;

  // --- audit -------------------------------------------------------------------------------------------------------------------
  [[nodiscard]] virtual Task<Status> append_audit(std::string body) = 0;
  [[nodiscard]] virtual Result<AuditHead> audit_head() = 0;  // of what is durable
  [[nodiscard]] virtual Result<std::vector<AuditRecord>> audit_records(std::uint64_t after_sequence, std::size_t limit) = 0;

  // --- clock -------------------------------------------------------------------------------------------------------------------
  // The latest moment that was ever recorded or confirmed; the clock guard measures against it.
  [[nodiscard]] virtual Result<std::optional<Instant>> clock_mark() = 0;
  // Sets it, backwards too (an operator confirmed), with its audit record.
  [[nodiscard]] virtual Task<Status> accept_clock(Instant now, std::string audit_body) = 0;
  // Raises it without an audit record; written with the next batch; not waited for.
  virtual void note_clock(Instant now) = 0;
};

}  // namespace birthmark::core
