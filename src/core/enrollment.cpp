// SPDX-License-Identifier: Apache-2.0
// Names of what an attempt can come to.
#include "core/enrollment.h"

namespace birthmark::core {

std::string_view to_string(Proof proof) {
  switch (proof) {
    case Proof::open_network: return "open";
    case Proof::token: return "token";
    case Proof::device_certificate: return "certificate";
    case Proof::station: return "station";
  }
  return "unknown";
}

std::string describe(Proof proof, const Origin& origin) {
  std::string text(to_string(proof));
  if (!origin.credential.empty()) text.append(":").append(origin.credential);
  return text;
}

std::string_view to_string(RefusalReason reason) {
  switch (reason) {
    case RefusalReason::malformed_request: return "malformed_request";
    case RefusalReason::wrong_factory: return "wrong_factory";
    case RefusalReason::bad_device_id: return "bad_device_id";
    case RefusalReason::bad_subject: return "bad_subject";
    case RefusalReason::key_not_allowed: return "key_not_allowed";
    case RefusalReason::denied: return "denied";
    case RefusalReason::key_conflict: return "key_conflict";
    case RefusalReason::identity_conflict: return "identity_conflict";
    case RefusalReason::outside_networks: return "outside_networks";
    case RefusalReason::unauthenticated: return "unauthenticated";
    case RefusalReason::not_permitted: return "not_permitted";
    case RefusalReason::no_order: return "no_order";
    case RefusalReason::too_many_requests: return "too_many_requests";
    case RefusalReason::no_certificate: return "no_certificate";
    case RefusalReason::is_authority: return "is_authority";
    case RefusalReason::issued_by_root: return "issued_by_root";
    case RefusalReason::unknown_issuer: return "unknown_issuer";
    case RefusalReason::issuer_revoked: return "issuer_revoked";
    case RefusalReason::issuer_disabled: return "issuer_disabled";
    case RefusalReason::certificate_profile: return "certificate_profile";
    case RefusalReason::unknown_device: return "unknown_device";
    case RefusalReason::no_usable_issuer: return "no_usable_issuer";
    case RefusalReason::clock_suspect: return "clock_suspect";
    case RefusalReason::storage_unavailable: return "storage_unavailable";
    case RefusalReason::target_not_allowed: return "target_not_allowed";
    case RefusalReason::not_provisioned: return "not_provisioned";
    case RefusalReason::upstream_pending: return "upstream_pending";
    case RefusalReason::upstream_refused: return "upstream_refused";
    case RefusalReason::internal: return "internal";
  }
  return "unknown";
}

}  // namespace birthmark::core
