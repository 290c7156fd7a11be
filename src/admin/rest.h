// SPDX-License-Identifier: Apache-2.0
// The REST twins of `birthmark device`, `order`, `upstream` and `token`, below /api/v1/. Called by the admin face after it knows who asks.
#pragma once

#include <string_view>
#include <vector>

#include "admin/admin_face.h"

namespace birthmark::admin {

// One request, taken apart: "/api/v1/devices/ID/deny" -> {"devices", "ID", "deny"}.
struct Call {
  const net::Request& request;
  std::vector<std::string_view> path;
  std::string actor;
};

[[nodiscard]] Task<net::Response> answer_devices(const AdminParts& parts, const Call& call);
[[nodiscard]] Task<net::Response> answer_orders(const AdminParts& parts, const Call& call);
// Of [upstream] or [hooks].
[[nodiscard]] Task<net::Response> answer_outbox(const AdminParts& parts, const Call& call, core::OutboxChannel channel);
[[nodiscard]] Task<net::Response> answer_tokens(const AdminParts& parts, const Call& call);

// The status an error of core deserves, and its words.
[[nodiscard]] net::Response error_response(const Error& error);
[[nodiscard]] net::Response method_not_allowed(std::string_view allowed);
[[nodiscard]] net::Response not_found();

}  // namespace birthmark::admin
