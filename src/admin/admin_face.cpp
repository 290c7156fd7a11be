// SPDX-License-Identifier: Apache-2.0
#include "admin/admin_face.h"

#include "admin/rest.h"
#include "base/log.h"
#include "base/text.h"
#include "net/authorization.h"

namespace birthmark::admin {
namespace {

constexpr std::string_view kApi = "/api/v1/";

std::vector<std::string_view> split_path(std::string_view path) {
  std::vector<std::string_view> segments;
  while (!path.empty()) {
    const std::size_t slash = path.find('/');
    segments.push_back(path.substr(0, slash));
    path.remove_prefix(slash == std::string_view::npos ? path.size() : slash + 1);
  }
  return segments;
}

net::Response refused(const core::Refusal& refusal) {
  const int status = refusal.kind == core::RefusalKind::unauthenticated ? 401 : refusal.kind == core::RefusalKind::forbidden ? 403 : 503;
  net::Response response = net::json_error(status, refusal.public_text);
  if (status == 401) response.headers.emplace_back("WWW-Authenticate", "Bearer");
  return response;
}

}  // namespace

net::Response error_response(const Error& error) {
  switch (error.code) {
    case ErrorCode::invalid: return net::json_error(400, error.public_message);
    case ErrorCode::forbidden: return net::json_error(403, error.public_message);
    case ErrorCode::not_found: return net::json_error(404, error.public_message);
    case ErrorCode::conflict: return net::json_error(409, error.public_message);
    case ErrorCode::too_large: return net::json_error(413, error.public_message);
    case ErrorCode::unavailable:
    case ErrorCode::misconfigured:
    case ErrorCode::internal: break;
  }
  log::error("admin request failed", {{"error", error.describe()}});
  return net::json_error(503, error.public_message);
}

net::Response method_not_allowed(std::string_view allowed) {
  net::Response response = net::json_error(405, "use " + std::string(allowed));
  response.headers.emplace_back("Allow", std::string(allowed));
  return response;
}

net::Response not_found() {
  return net::json_error(404, "there is nothing here");
}

Task<net::Response> AdminFace::handle(const net::Request& request) {
  if (request.path == "/healthz") {
    net::Response alive;
    alive.body = "{\"status\":\"ok\"}\n";
    co_return alive;
  }
  const auto judged = authenticate(request);
  const auto* const who = std::get_if<std::string>(&judged);
  if (request.path == "/readyz") co_return readiness(who != nullptr);
  if (who == nullptr) co_return refused(std::get<core::Refusal>(judged));
  if (request.path == "/metrics") co_return metrics();
  if (!request.path.starts_with(kApi)) co_return not_found();

  const Call call{request, split_path(request.path.substr(kApi.size())), *who};
  auto response = co_await answer_api(call);
  log::write(request.method == "GET" ? log::Level::debug : log::Level::info, "admin request",
             {{"request", request.id},
              {"actor", *who},
              {"method", std::string(request.method)},
              {"path", std::string(request.path)},
              {"status", std::to_string(response.status)}});
  co_return response;
}

Task<net::Response> AdminFace::answer_api(const Call& call) const {
  const std::string_view collection = call.path.empty() ? std::string_view() : call.path.front();
  if (collection == "devices") co_return co_await answer_devices(parts_, call);
  if (collection == "orders") co_return co_await answer_orders(parts_, call);
  if (collection == "tokens") co_return co_await answer_tokens(parts_, call);
  if (collection == "upstream") co_return co_await answer_outbox(parts_, call, core::OutboxChannel::upstream);
  if (collection == "hooks") co_return co_await answer_outbox(parts_, call, core::OutboxChannel::events);
  co_return not_found();
}

// A token that is shown is what is meant, also where the connection came with a certificate.
std::variant<std::string, core::Refusal> AdminFace::authenticate(const net::Request& request) const {
  const std::string_view token = net::presented_token(request);
  const Instant now = parts_.clock.now();
  if (token.empty() && request.peer.certificate) {
    auto shown = parts_.certificates.authenticate(&request.peer.certificate->fingerprint, core::HolderRole::operator_, now);
    if (auto* refusal = std::get_if<core::Refusal>(&shown)) return std::move(*refusal);
    return "operator:" + std::get<core::SiteCertificate>(shown).holder;
  }
  auto judged = parts_.credentials.authenticate(token, core::Scope::admin, now);
  if (auto* refusal = std::get_if<core::Refusal>(&judged)) return std::move(*refusal);
  const core::TokenRecord& record = std::get<core::TokenRecord>(judged);
  return record.station.empty() ? "token:" + record.id() : record.station;
}

// Load balancers ask without a token: they learn whether, not why.
net::Response AdminFace::readiness(bool with_reasons) const {
  const auto reasons = parts_.operations.reasons_not_ready();
  net::Response response;
  response.status = reasons.empty() ? 200 : 503;
  response.body = reasons.empty() ? "{\"ready\":true" : "{\"ready\":false";
  if (with_reasons) {
    response.body += ",\"reasons\":[";
    for (std::size_t i = 0; i < reasons.size(); ++i) response.body.append(i > 0 ? "," : "").append(json_string(reasons[i]));
    response.body += ']';
  }
  response.body += "}\n";
  return response;
}

net::Response AdminFace::metrics() const {
  net::Response response;
  response.content_type = "text/plain; version=0.0.4; charset=utf-8";
  response.body = parts_.metrics.render(parts_.operations.process_figures(), parts_.operations.expiries(), parts_.operations.commit_sizes(),
                                        parts_.operations.reasons_not_ready().empty());
  return response;
}

}  // namespace birthmark::admin
