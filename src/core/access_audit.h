// SPDX-License-Identifier: Apache-2.0
// What the audit says of the factory API's callers, groups and approvals: bodies in the form of core/audit.h, under names of their own.
#pragma once

#include "core/audit.h"

namespace birthmark::core {

// The names are stored in the bodies; they never change.
enum class AccessEvent : std::uint8_t {
  group_changed,           // a device group was made, described, renamed or removed
  user_changed,            // somebody became, or is no longer, a user of the factory API
  client_changed,          // OAuth client credentials were made or revoked
  authorization_decided,   // somebody approved or refused a device that asked (RFC 8628)
  authorization_redeemed,  // an approved device took its token
};
[[nodiscard]] std::string_view to_string(AccessEvent event);

[[nodiscard]] std::string audit_body(AccessEvent event, Instant at, std::initializer_list<AuditField> fields);

}  // namespace birthmark::core
