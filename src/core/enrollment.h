// SPDX-License-Identifier: Apache-2.0
// One attempt of a device to get its identity, and what can come of it. Faces make the first and render the second.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "core/identity.h"
#include "core/ports/registry.h"
#include "core/trust_store.h"

namespace birthmark::core {

// Where an attempt came from: what the audit says and what the unseen rule compares.
struct Origin {
  std::string peer_address;  // without port
  std::string station;       // the station's name, or its token's; the peer address under open trust
  std::string credential;    // which token or certificate proved it; empty under open trust
  std::string request{};     // the request's id, for the log
};

// How the peer showed that it may enroll. Open trust asks for nothing beyond its network.
enum class Proof : std::uint8_t { open_network, token, device_certificate, station };
[[nodiscard]] std::string_view to_string(Proof proof);
// As the audit says it: "open", "token:3f09c1d2aa", "station:SERIAL".
[[nodiscard]] std::string describe(Proof proof, const Origin& origin);

// What the device says of itself. All of it is a claim until the policy has looked.
struct Claims {
  std::optional<std::string> device_id;  // must agree with the CSR when given
  std::string name;                      // empty: the device id
  std::string hardware_id;
  std::string group{};  // of a new device; only from a door that knows who says so
};

// Izuma Edge: what a gateway's certificate is made of beside a CSR, or instead of one.
struct GatewayRequest {
  std::string serial_number;
  Bytes subject_der;                   // as it will stand in the certificate
  std::vector<NameAttribute> subject;  // the same, to compare a CSR with
  std::optional<CsrFacts> made_key;    // a key made here because the device cannot: there is no CSR, and nothing to prove
  GatewayDraft draft;
};

struct Enrollment {
  Ecosystem ecosystem = Ecosystem::foundries;
  std::string csr_pem;
  Claims claims;
  Proof proof = Proof::open_network;
  Origin origin;
  bool lifts_denial = false;  // the door's caller may bring a denied device back (protocol facts, Foundries 2.2)
  Bytes csr_der;              // instead of csr_pem
  std::optional<GatewayRequest> gateway;
};

// Why not. The names are stored in the audit and counted in metrics.
enum class RefusalReason : std::uint8_t {
  malformed_request,  // the CSR cannot be read, or its signature is wrong
  wrong_factory,
  bad_device_id,
  bad_subject,  // an attribute that we do not certify
  key_not_allowed,
  denied,
  key_conflict,       // known identity, another key
  identity_conflict,  // known identity and key, but another subject
  outside_networks,   // the peer's address is none from which this listener takes registrations
  unauthenticated,    // the token is missing, unknown, expired or revoked
  not_permitted,      // the token is good, but not for this
  no_order,           // outside every open production order
  too_many_requests,  // the station's rate
  no_certificate,     // at the gateway: nothing was shown
  is_authority,       // a CA's own certificate was shown
  issued_by_root,     // not by a device CA
  unknown_issuer,
  issuer_revoked,
  issuer_disabled,      // and the device is new
  certificate_profile,  // gateway.profile
  unknown_device,       // gateway.auto_create
  no_usable_issuer,     // every configured device CA is disabled, revoked, expired or not yet valid
  clock_suspect,
  storage_unavailable,
  upstream_pending,    // registered, but the upstream must know first and does not yet
  upstream_refused,    // registered, but the upstream must know first and will not have it
  target_not_allowed,  // a gateway's address outside pep.gateway_networks, or our own
  not_provisioned,     // the gateway did not take its identity
  internal,
};
[[nodiscard]] std::string_view to_string(RefusalReason reason);

// Whether asking again, unchanged, can help; faces choose their status code by it.
enum class RefusalKind : std::uint8_t { bad_request, unauthenticated, forbidden, conflict, too_many, unavailable };

struct Refusal {
  RefusalReason reason = RefusalReason::internal;
  RefusalKind kind = RefusalKind::bad_request;
  std::string public_text;             // safe for the device
  std::string audit_text;              // everything known; may be empty
  std::string identity;                // external id when it is known, for the audit
  std::chrono::seconds retry_after{};  // when it may help to ask again, if that is known
};

struct Enrolled {
  Bytes certificate_der;
  std::shared_ptr<const TrustSnapshot> trust;  // what it was issued under: root and device CAs
  RowId issuer = 0;                            // trust->by_row(issuer) is the device CA that signed
  DeviceIdentity identity;
  bool production = false;
  bool replayed = false;  // the recorded certificate, byte for byte
  RowId certificate = 0;
  Fingerprint fingerprint;      // of a certificate made just now
  bool track_delivery = false;  // report Registry::note_delivery when the peer has the whole answer
};

using EnrollmentOutcome = std::variant<Enrolled, Refusal>;

}  // namespace birthmark::core
