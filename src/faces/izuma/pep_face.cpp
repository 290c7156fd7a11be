// SPDX-License-Identifier: Apache-2.0
// Routes, admission and the joining of repeated requests.
#include "faces/izuma/pep_face.h"

#include "base/log.h"
#include "base/text.h"
#include "net/authorization.h"

namespace birthmark::faces::izuma {
namespace {

constexpr int kRetryAfterSeconds = 5;

int status_of(core::RefusalKind kind) {
  switch (kind) {
    case core::RefusalKind::bad_request: return 400;
    case core::RefusalKind::unauthenticated: return 401;
    case core::RefusalKind::forbidden: return 403;
    case core::RefusalKind::conflict: return 409;
    case core::RefusalKind::too_many: return 429;
    case core::RefusalKind::unavailable: break;
  }
  return 503;
}

// Both spellings of every path: "/v3/identity" and "/identity".
std::string_view prefix_of(std::string_view path) {
  return path.starts_with("/v3/") ? path.substr(0, 3) : std::string_view();
}

}  // namespace

net::Response refusal_response(const core::Refusal& refusal) {
  // The one answer whose text the original's clients know.
  if (refusal.kind == core::RefusalKind::conflict && refusal.public_text == core::kGatewayExists)
    return {.status = 409, .content_type = "text/html; charset=utf-8", .body = refusal.public_text, .headers = {}, .on_delivered = {}};
  net::Response response = net::json_error(status_of(refusal.kind), refusal.public_text);
  if (response.status == 401) response.headers.emplace_back("WWW-Authenticate", "Bearer");
  if (response.status == 429) response.headers.emplace_back("Retry-After", std::to_string(refusal.retry_after.count()));
  if (response.status == 503) response.headers.emplace_back("Retry-After", std::to_string(kRetryAfterSeconds));
  return response;
}

Task<net::Response> PepFace::handle(const net::Request& request) {
  if (request.path.starts_with("/docs")) {
    // The document is served under the original's name.
    auto page = docs_.answer(request);
    if (page && request.path.ends_with(".yaml") && page->status == 200) page->content_type = "text/yaml; charset=utf-8";
    if (page) co_return std::move(*page);
  }
  const std::string_view prefix = prefix_of(request.path);
  const std::string_view path = request.path.substr(prefix.size());
  const bool identity_path = path == "/identity";
  const bool id_path = path == "/enrollment-id" || path == "/verification-key";
  if (!identity_path && !id_path && path != "/enrollment-ids") co_return net::json_error(404, "there is nothing here; see /docs/");
  const bool get = request.method == "GET" || (request.method == "HEAD" && !identity_path);
  if (!get && !(identity_path && request.method == "POST")) {
    net::Response response = net::json_error(405, "this path takes " + std::string(identity_path ? "GET and POST" : "GET"));
    response.headers.emplace_back("Allow", identity_path ? "GET, POST" : "GET");
    co_return response;
  }
  const Fingerprint* certificate = request.peer.certificate ? &request.peer.certificate->fingerprint : nullptr;
  auto admitted = parts_.gate.admit({request.peer.address, net::presented_token(request), certificate});
  if (auto* refusal = std::get_if<core::Refusal>(&admitted)) co_return co_await turn_away(request, std::move(*refusal));
  const core::Admission& admission = std::get<core::Admission>(admitted);
  if (identity_path) co_return co_await identity(request, admission);
  if (!may_read(admission)) {
    core::Refusal refusal{core::RefusalReason::outside_networks, core::RefusalKind::forbidden, {}, {}, {}, {}};
    refusal.public_text = "ids and keys are not given to " + request.peer.address + ": it is outside pep.inventory_networks";
    co_return co_await turn_away(request, std::move(refusal));
  }
  if (id_path) co_return read_by_serial(request, path == "/verification-key");
  co_return list(request, prefix);
}

Task<net::Response> PepFace::turn_away(const net::Request& request, core::Refusal refusal) {
  core::Enrollment attempt;
  attempt.ecosystem = core::Ecosystem::izuma;
  attempt.origin.peer_address = request.peer.address;
  const auto outcome = co_await parts_.enroller.refuse(attempt, refusal);
  co_return refusal_response(std::get<core::Refusal>(outcome));
}

Task<net::Response> PepFace::refuse(const Attempt& attempt, core::Refusal refusal) {
  if (refusal.identity.empty()) refusal.identity = attempt.request.serial_number;
  const auto outcome = co_await parts_.enroller.refuse(attempt.enrollment, refusal);
  co_return refusal_response(std::get<core::Refusal>(outcome));
}

Task<net::Response> PepFace::identity(const net::Request& request, const core::Admission& admission) {
  // The POST's form has the same parameters; secrets do not belong into an address.
  const bool post = request.method == "POST";
  if (post && !request.content_type.starts_with("application/x-www-form-urlencoded"))
    co_return net::json_error(415, "the request body must be application/x-www-form-urlencoded");
  auto query = Query::parse(post ? request.body : request.query);
  if (!query) co_return net::json_error(400, query.error().public_message);
  auto parsed = read_identity_request(*query, request.peer.address);
  if (!parsed) co_return net::json_error(400, parsed.error().public_message);
  Attempt attempt{std::move(*parsed), admission, {}, {}, {}, {}};
  if (const Status prepared = prepare(attempt); !prepared) co_return net::json_error(503, prepared.error().public_message);
  if (auto refusal = judge_target(attempt)) co_return co_await refuse(attempt, std::move(*refusal));
  co_return co_await provision_once(attempt);
}

// A repeat while the first is at it waits for the same answer; another target or station is told that the serial number is taken.
Task<net::Response> PepFace::provision_once(Attempt& attempt) {
  const std::string serial = attempt.request.serial_number;
  const std::string target = attempt.request.target();
  std::shared_ptr<Running> running;
  bool first = false;
  {
    const std::lock_guard lock(mutex_);
    auto& entry = running_[serial];
    first = entry == nullptr;
    if (first) entry = std::make_shared<Running>(Running{target, attempt.admission.origin.station, {}});
    running = entry;
  }
  if (!first && (running->target != target || running->station != attempt.admission.origin.station)) {
    core::Refusal refusal{
        core::RefusalReason::key_conflict, core::RefusalKind::conflict, std::string(core::kGatewayExists), {}, serial, {}};
    co_return co_await refuse(attempt, std::move(refusal));
  }
  if (!first) {
    auto join = [this, serial, running](Resume<net::Response> resume) {
      const std::lock_guard lock(mutex_);
      const auto found = running_.find(serial);
      if (found != running_.end() && found->second == running) return running->waiting.push_back(std::move(resume));
      resume(net::json_error(503, "the same gateway was being provisioned; ask again"));
    };
    co_return co_await suspend<net::Response>(std::move(join));
  }
  auto response = co_await provision(attempt);
  std::vector<Resume<net::Response>> waiting;
  {
    const std::lock_guard lock(mutex_);
    waiting = std::move(running->waiting);
    running_.erase(serial);
  }
  for (Resume<net::Response>& resume : waiting) resume(response);
  co_return response;
}

bool PepFace::is_own_listener(const IdentityRequest& request) const {
  return std::any_of(settings_.own_listeners.begin(), settings_.own_listeners.end(), [&](const auto& own) {
    const bool everywhere = own.first.empty() || own.first == "0.0.0.0" || own.first == "::";
    const bool loopback = request.address.starts_with("127.") || request.address == "::1";
    return own.second == request.port && (own.first == request.address || (everywhere && loopback));
  });
}

std::optional<core::Refusal> PepFace::judge_target(const Attempt& attempt) const {
  const IdentityRequest& request = attempt.request;
  core::Refusal refusal{core::RefusalReason::target_not_allowed, core::RefusalKind::forbidden, {}, {}, request.serial_number, {}};
  if (is_own_listener(request)) {
    refusal.public_text = request.target() + " is a listener of this server, not a gateway";
    return refusal;
  }
  const bool own_address = request.address == attempt.admission.origin.peer_address;
  if (own_address || core::contains(settings_.gateway_networks, request.address)) return std::nullopt;
  refusal.public_text = "this server does not connect to " + request.address + ": it is outside pep.gateway_networks";
  return refusal;
}

// What can be said of the enrollment before the gateway is asked for anything.
Status PepFace::prepare(Attempt& attempt) const {
  const IdentityRequest& request = attempt.request;
  core::Enrollment& enrollment = attempt.enrollment;
  enrollment.ecosystem = core::Ecosystem::izuma;
  enrollment.proof = attempt.admission.proof;
  enrollment.origin = attempt.admission.origin;
  enrollment.claims.name = request.serial_number;
  enrollment.claims.hardware_id = request.hardware_version;
  core::GatewayRequest gateway;
  gateway.serial_number = request.serial_number;
  BIRTHMARK_TRY(gateway.subject_der, parts_.tools.encode_subject(settings_.factory.subject, request.serial_number));
  BIRTHMARK_TRY(gateway.subject, parts_.tools.read_subject(gateway.subject_der));
  gateway.draft = {request.fields, request.verification_key, request.target()};
  enrollment.gateway = std::move(gateway);
  return {};
}

}  // namespace birthmark::faces::izuma
