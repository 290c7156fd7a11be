// SPDX-License-Identifier: Apache-2.0
#include "faces/device_door.h"

#include "base/text.h"

namespace birthmark::faces {
namespace {

constexpr int kRetryAfterSeconds = 5;

int status_of(core::RefusalKind kind) {
  switch (kind) {
    case core::RefusalKind::bad_request: return 400;
    case core::RefusalKind::unauthenticated: return 401;
    case core::RefusalKind::forbidden: return 403;
    case core::RefusalKind::conflict: return 409;
    case core::RefusalKind::too_many: return 429;
    case core::RefusalKind::unavailable: return 503;
  }
  return 503;
}

}  // namespace

Task<core::GatewayOutcome> admit_peer(core::DeviceGate& gate, const net::Request& request, Instant now) {
  const auto& certificate = request.peer.certificate;
  if (!certificate) {
    auto refusal = co_await gate.refuse_without_certificate(request.peer.address);
    co_return std::move(refusal);
  }
  if (auto device = gate.remembered(certificate->fingerprint, now)) co_return std::move(device);
  const core::PresentedCertificate presented{certificate->chain.front(), certificate->fingerprint, certificate->anchor,
                                             certificate->under_root};
  co_return co_await gate.admit(presented, request.peer.address);
}

net::Response refusal_response(const core::Refusal& refusal) {
  net::Response response;
  response.status = status_of(refusal.kind);
  response.body = "{\"code\": " + json_string(to_string(refusal.reason)) + ", \"message\": " + json_string(refusal.public_text) + "}\n";
  // Who is refused for what he is, is refused for good: his connection ends too, whatever else was to come on it.
  if (refusal.kind == core::RefusalKind::forbidden || refusal.kind == core::RefusalKind::conflict)
    response.headers.emplace_back("Connection", "close");
  if (refusal.kind == core::RefusalKind::unavailable) response.headers.emplace_back("Retry-After", std::to_string(kRetryAfterSeconds));
  return response;
}

net::Response method_not_allowed(std::string_view allowed) {
  net::Response response = net::json_error(405, "this path takes: " + std::string(allowed));
  response.headers.emplace_back("Allow", std::string(allowed));
  return response;
}

}  // namespace birthmark::faces
