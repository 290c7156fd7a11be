// SPDX-License-Identifier: Apache-2.0
// Port: EVE nodes and the onboarding certificates with which they come. A node is an identity of the registry (its external id is the UUID
// it is given) plus what makes it unique: its device certificate, and the pair (onboarding certificate, serial). Adapter: the SQLite
// registry's own. Each writing call is one durable transaction together with its audit record.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/ports/field_log.h"
#include "core/ports/registry.h"

namespace birthmark::core {

// The role of the controller's root among the authorities: it stands for the nodes whose certificates are their own making, and is no part
// of the factory's PKI that the other roles name. The number is stored.
inline constexpr AuthorityRole kControllerRole{5};

// Whom an onboarding certificate lets in. The certificate is known by its exact DER: its dates, usages and subject are not held against it.
struct OnboardingCertificate {
  RowId row = 0;
  std::string factory;
  Fingerprint fingerprint;
  Bytes der;
  std::string name;                     // for operators; unique within a factory
  bool any_serial = false;              // every serial, "*"
  std::vector<std::string> globs;       // or those that one of these describes; * stands for any run of characters
  std::optional<std::uint64_t> places;  // at most so many nodes, counted in the transaction; nothing: no limit
  std::uint64_t used = 0;
  std::uint64_t listed = 0;  // serials on its list
  std::optional<Instant> expires_at;
  std::optional<Instant> revoked_at;
  Instant created_at;
};

// What is to become of the serial list that a certificate has.
enum class SerialList : std::uint8_t { extend, replace };

struct NodeRecord {
  DeviceIdentity identity;  // external_id: the UUID
  RowId row = 0;            // of the identity
  DeviceStatus status = DeviceStatus::active;
  bool deleted = false;
  DeviceId device_id;
  RowId onboarding = 0;
  std::string serial;           // by which it is known: its hardware serial, or its soft serial
  std::string hardware_serial;  // as it came
  std::string soft_serial;
  Fingerprint certificate;
  Bytes spki_der;
  std::optional<Instant> rekey_until;  // until then another device certificate may take its place
  Instant registered_at;               // with this certificate
};

struct NodeDraft {
  IssuanceRecord issuance;
  RowId onboarding = 0;
  std::string serial, hardware_serial, soft_serial;
  Fingerprint certificate;
  Bytes spki_der;
  bool takes_place = false;  // a new node: counts against OnboardingCertificate::places
};

enum class NodeConflict : std::uint8_t {
  none,
  changed,   // decide again
  no_place,  // the onboarding certificate has no place left
  closed,    // it was revoked, or is over
};

// A node that knocked and was not let in because nobody had announced it.
struct Knock {
  RowId row = 0;
  std::string factory;
  Fingerprint onboarding;
  Bytes onboarding_der;
  std::string serial, soft_serial;
  Fingerprint certificate;  // of the device
  std::string peer_address;
  std::string reason;
  Instant first_at, last_at;
  std::uint64_t count = 1;
};

// The owner of a node's own field logs.
[[nodiscard]] inline FieldKey node_field(const DeviceIdentity& identity, std::string kind) {
  return {identity.factory, "node:" + identity.external_id, std::move(kind)};
}

class Nodes {
 public:
  virtual ~Nodes() = default;

  // --- onboarding certificates ---------------------------------------------------------------------------------------------------
  // Makes it, or changes the one with the same DER (everything but `used`, `created_at`); the list of serials is extended or replaced.
  [[nodiscard]] virtual Task<Result<OnboardingCertificate>> put_certificate(OnboardingCertificate certificate,
                                                                            std::vector<std::string> serials, SerialList list,
                                                                            std::string audit_body) = 0;
  // No new nodes with it from now on; those it brought stay. not_found when unknown.
  [[nodiscard]] virtual Task<Result<OnboardingCertificate>> revoke_certificate(RowId row, Instant at, std::string audit_body) = 0;
  [[nodiscard]] virtual Result<std::vector<OnboardingCertificate>> certificates(const std::string& factory) = 0;
  [[nodiscard]] virtual Result<std::optional<OnboardingCertificate>> certificate(const std::string& factory,
                                                                                 const Fingerprint& fingerprint) = 0;
  [[nodiscard]] virtual Result<bool> lists_serial(RowId certificate, const std::string& serial) = 0;
  [[nodiscard]] virtual Result<std::vector<std::string>> serials(RowId certificate, const std::string& after, std::size_t limit) = 0;

  // --- nodes ---------------------------------------------------------------------------------------------------------------------
  // `hash`: SHA-256 of the device certificate, whole or its first 16 octets.
  [[nodiscard]] virtual Result<std::optional<NodeRecord>> by_certificate(const std::string& factory, ByteView hash) = 0;
  [[nodiscard]] virtual Result<std::optional<NodeRecord>> by_serial(RowId onboarding, const std::string& serial) = 0;
  [[nodiscard]] virtual Result<std::optional<NodeRecord>> by_uuid(const DeviceIdentity& identity) = 0;
  // Of the device certificate of the node with this identity row.
  [[nodiscard]] virtual Result<Bytes> certificate_der(RowId node) = 0;
  // Nodes after the identity row `after`, in order of creation.
  [[nodiscard]] virtual Result<std::vector<NodeRecord>> list_nodes(const std::string& factory, RowId after, std::size_t limit) = 0;
  // The node as `draft` says, if `expected` still holds, the device certificate and the pair belong to nobody else, and there is a place.
  [[nodiscard]] virtual Task<Result<NodeConflict>> record_node(NodeDraft draft, Preconditions expected) = 0;

  // --- who waits outside ---------------------------------------------------------------------------------------------------------
  // Written with the next batch, not waited for; the list keeps the newest thousand.
  virtual void note_knock(Knock knock) = 0;
  [[nodiscard]] virtual Result<std::vector<Knock>> knocks(const std::string& factory, std::size_t limit) = 0;  // newest first
  [[nodiscard]] virtual Task<Result<std::uint64_t>> forget_knock(RowId row) = 0;
};

}  // namespace birthmark::core
