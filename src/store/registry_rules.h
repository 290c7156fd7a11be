// SPDX-License-Identifier: Apache-2.0
// What every adapter of the Registry port must answer alike: the order of the precondition checks and the words of its refusals.
#pragma once

#include <algorithm>
#include <string>

#include "core/ports/field_log.h"
#include "core/ports/outbox.h"
#include "core/ports/registry.h"

namespace birthmark::store {

// What stands for an identity at the moment of a record(), whatever kept it.
struct RegistryView {
  bool denied = false;
  std::optional<SpkiHash> current_key;
  core::RowId newest_certificate = 0;
  core::Delivery delivery = core::Delivery::untracked;
  bool rekey_allowed = false;
  std::uint64_t trust_epoch = 0;
};

// The order is the precedence: a denied device is told so whatever else changed.
[[nodiscard]] inline core::RecordConflict check_preconditions(const RegistryView& found, const core::Preconditions& expected) {
  using core::RecordConflict;
  if (found.denied) return RecordConflict::denied;
  if (found.trust_epoch != expected.trust_epoch) return RecordConflict::trust_changed;
  if (found.current_key != expected.current_key) return RecordConflict::identity_changed;
  if (expected.rekey_allowed && !found.rekey_allowed) return RecordConflict::identity_changed;
  if (!expected.unseen_certificate) return RecordConflict::none;
  const bool unseen = found.newest_certificate == *expected.unseen_certificate && found.delivery == core::Delivery::unanswered;
  return unseen ? RecordConflict::none : RecordConflict::identity_changed;
}

// When an entry of a log is dated (FieldAppend::strictly_later).
[[nodiscard]] inline Instant field_time(const core::FieldAppend& append, std::optional<Instant> before) {
  if (!append.strictly_later || !before) return append.at;
  return std::max<Instant>(append.at, std::chrono::floor<std::chrono::seconds>(*before) + std::chrono::seconds(1));
}

[[nodiscard]] inline tl::unexpected<Error> field_changed(const core::FieldKey& key) {
  return fail(ErrorCode::conflict, "somebody else changed the " + key.kind + " of " + key.owner + " meanwhile; look at it again");
}

[[nodiscard]] inline Status check_identity(const core::DeviceIdentity& identity) {
  const bool good = !identity.factory.empty() && !identity.external_id.empty() && identity.external_id.size() <= 256;
  if (good) return {};
  return fail(ErrorCode::invalid, "a device id has 1 to 256 bytes and a factory");
}

[[nodiscard]] inline tl::unexpected<Error> unknown_issuer(core::RowId issuer) {
  return fail(ErrorCode::invalid, "the issuing authority is not in the registry", "row " + std::to_string(issuer));
}
[[nodiscard]] inline tl::unexpected<Error> unknown_authority(core::RowId row) {
  return fail(ErrorCode::not_found, "there is no authority with row " + std::to_string(row));
}
[[nodiscard]] inline tl::unexpected<Error> unknown_device(const core::DeviceIdentity& identity) {
  return fail(ErrorCode::not_found, "there is no device " + identity.external_id);
}
[[nodiscard]] inline tl::unexpected<Error> unknown_token(const std::string& id) {
  return fail(ErrorCode::not_found, "there is no token " + id);
}
[[nodiscard]] inline tl::unexpected<Error> token_taken(const std::string& id) {
  return fail(ErrorCode::conflict, "there is a token " + id + " already");
}
[[nodiscard]] inline tl::unexpected<Error> certificate_taken(const std::string& serial) {
  return fail(ErrorCode::conflict, "there is a certificate " + serial + " already");
}
[[nodiscard]] inline tl::unexpected<Error> is_denied(const core::DeviceIdentity& identity) {
  return fail(ErrorCode::conflict, "device " + identity.external_id + " is on the deny list: take it off with `birthmark device allow`");
}
[[nodiscard]] inline tl::unexpected<Error> has_no_key(const core::DeviceIdentity& identity) {
  return fail(ErrorCode::conflict, "device " + identity.external_id + " has no key: it may register with any");
}
[[nodiscard]] inline tl::unexpected<Error> order_taken(const std::string& name) {
  return fail(ErrorCode::conflict, "there is an order " + name + " already");
}
[[nodiscard]] inline tl::unexpected<Error> unknown_order() {
  return fail(ErrorCode::not_found, "there is no such order");
}
[[nodiscard]] inline tl::unexpected<Error> unknown_import() {
  return fail(ErrorCode::not_found, "this import was given up, perhaps by another one of the same order");
}
[[nodiscard]] inline tl::unexpected<Error> not_denied(const core::DeviceIdentity& identity) {
  return fail(ErrorCode::conflict, "device " + identity.external_id + " is not on the deny list");
}

// `count` messages in `state`, the oldest of them written at `oldest`.
inline void add_to(core::OutboxTotals& totals, core::OutboxState state, std::uint64_t count, Instant oldest) {
  switch (state) {
    case core::OutboxState::waiting: totals.waiting += count; break;
    case core::OutboxState::sending: totals.sending += count; break;
    case core::OutboxState::unverified: totals.unverified += count; return;
    case core::OutboxState::stopped: totals.stopped += count; return;
    default: return;
  }
  if (!totals.oldest || oldest < *totals.oldest) totals.oldest = oldest;
}

}  // namespace birthmark::store
