// SPDX-License-Identifier: Apache-2.0
#include "core/access_audit.h"

namespace birthmark::core {

std::string_view to_string(AccessEvent event) {
  switch (event) {
    case AccessEvent::group_changed: return "group_changed";
    case AccessEvent::user_changed: return "user_changed";
    case AccessEvent::client_changed: return "client_changed";
    case AccessEvent::authorization_decided: return "authorization_decided";
    case AccessEvent::authorization_redeemed: return "authorization_redeemed";
  }
  return "unknown";
}

std::string audit_body(AccessEvent event, Instant at, std::initializer_list<AuditField> fields) {
  std::string body = R"({"event":")" + std::string(to_string(event)) + R"(","at":")" + format_rfc3339_ms(at) + "\"}";
  for (const AuditField& field : fields) add_field(body, field);
  return body;
}

}  // namespace birthmark::core
