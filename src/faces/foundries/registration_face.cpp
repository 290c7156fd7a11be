// SPDX-License-Identifier: Apache-2.0
#include "faces/foundries/registration_face.h"

#include "base/log.h"
#include "base/pem.h"
#include "base/text.h"
#include "faces/sign_request.h"
#include "net/authorization.h"

namespace birthmark::faces::foundries {
namespace {

constexpr std::string_view kCertificateLabel = "CERTIFICATE";
constexpr int kRetryAfterSeconds = 5;

std::string escaped_pem(ByteView der) {
  std::string escaped;
  append_json_escaped(escaped, encode_pem(kCertificateLabel, der));
  return escaped;
}

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

net::Response refusal_response(const core::Refusal& refusal) {
  net::Response response = net::json_error(status_of(refusal.kind), refusal.public_text);
  if (response.status == 401) response.headers.emplace_back("WWW-Authenticate", "Bearer");
  if (response.status == 429) response.headers.emplace_back("Retry-After", std::to_string(refusal.retry_after.count()));
  if (response.status == 503) response.headers.emplace_back("Retry-After", std::to_string(kRetryAfterSeconds));
  return response;
}

core::Enrollment to_enrollment(SignRequest& request, core::Admission admission) {
  core::Enrollment enrollment;
  enrollment.ecosystem = core::Ecosystem::foundries;
  enrollment.csr_pem = std::move(request.csr);
  enrollment.claims.device_id = std::move(request.uuid);
  enrollment.claims.name = std::move(request.name);
  enrollment.claims.hardware_id = request.hardware_id;
  enrollment.proof = admission.proof;
  enrollment.origin = std::move(admission.origin);
  return enrollment;
}

// A busy line registers thousands in a second: only for those who look for one of them.
void note(const core::Enrollment& enrollment, const core::Enrolled& enrolled) {
  if (!log::enabled(log::Level::debug)) return;
  log::debug("registered", {{"id", enrolled.identity.external_id},
                            {"replayed", enrolled.replayed ? "true" : "false"},
                            {"peer", enrollment.origin.peer_address},
                            {"station", enrollment.origin.station},
                            {"request", enrollment.origin.request}});
}

net::Response unavailable_response(const Error& error) {
  log::error("registration.not_noted", {{"error", error.describe()}});
  net::Response response = net::json_error(503, error.public_message);
  response.headers.emplace_back("Retry-After", std::to_string(kRetryAfterSeconds));
  return response;
}

}  // namespace

Task<net::Response> RegistrationFace::handle(const net::Request& request) {
  if (request.path != "/sign") co_return net::json_error(404, "there is nothing here; devices register with POST /sign");
  if (request.method != "POST") {
    // lmp-device-register pings with HEAD, fioup with GET: any answer below 500 tells them that somebody is here.
    net::Response response = net::json_error(405, "devices register with POST /sign");
    response.headers.emplace_back("Allow", "POST");
    co_return response;
  }
  if (!is_json_content_type(request.content_type)) {
    co_return net::json_error(415, "Unsupported Media Type: the request body must be application/json");
  }
  const auto& certificate = request.peer.certificate;
  const Fingerprint* fingerprint = certificate ? &certificate->fingerprint : nullptr;
  auto admitted = gate_.admit({request.peer.address, net::presented_token(request), fingerprint, request.id});
  if (auto* refusal = std::get_if<core::Refusal>(&admitted)) co_return co_await turn_away(request, *refusal);
  const core::Admission& admission = std::get<core::Admission>(admitted);
  co_return co_await sign(request, admission);
}

Task<net::Response> RegistrationFace::turn_away(const net::Request& request, const core::Refusal& refusal) {
  core::Enrollment attempt;
  attempt.origin.peer_address = request.peer.address;
  attempt.origin.request = request.id;
  count({}, to_string(refusal.reason), std::chrono::steady_clock::now());
  const auto outcome = co_await enroller_.refuse(attempt, refusal);
  co_return refusal_response(std::get<core::Refusal>(outcome));
}

Task<net::Response> RegistrationFace::sign(const net::Request& request, const core::Admission& admission) {
  const auto begun = settings_.meter != nullptr ? std::chrono::steady_clock::now() : std::chrono::steady_clock::time_point();
  auto parsed = parse_sign_request(request.body);
  if (!parsed) {
    count(admission.origin.station, "malformed_request", begun);
    co_return net::json_error(400, parsed.error().public_message);
  }
  const core::Enrollment enrollment = to_enrollment(*parsed, admission);
  auto outcome = co_await enroller_.enroll(enrollment);
  if (const auto* refusal = std::get_if<core::Refusal>(&outcome)) {
    count(admission.origin.station, to_string(refusal->reason), begun);
    co_return refusal_response(*refusal);
  }
  count(admission.origin.station, std::get<core::Enrolled>(outcome).replayed ? "replayed" : "issued", begun);
  note(enrollment, std::get<core::Enrolled>(outcome));
  if (settings_.device_log != nullptr) {
    const Status noted = settings_.device_log->note(std::get<core::Enrolled>(outcome));
    if (!noted) co_return unavailable_response(noted.error());
  }
  std::string& directory = parsed->sota_config_dir;
  const SotaParameters parameters{parsed->hardware_id, directory, settings_.gateway_server, settings_.ostree_server};
  co_return render(std::get<core::Enrolled>(outcome), render_sota_toml(parameters, parsed->overrides));
}

void RegistrationFace::count(std::string_view station, std::string_view result, std::chrono::steady_clock::time_point begun) const {
  if (settings_.meter != nullptr) settings_.meter->registration(station, result, std::chrono::steady_clock::now() - begun);
}

std::shared_ptr<const RegistrationFace::Chain> RegistrationFace::chain_of(const core::Enrolled& enrolled) {
  const std::lock_guard lock(chain_mutex_);
  if (chain_ && chain_->trust == enrolled.trust && chain_->issuer == enrolled.issuer) return chain_;
  auto chain = std::make_shared<Chain>();
  chain->trust = enrolled.trust;
  chain->issuer = enrolled.issuer;
  if (const auto* issuer = enrolled.trust->by_row(enrolled.issuer)) chain->issuer_pem = escaped_pem(issuer->record.der);
  if (enrolled.trust->root) chain->root_pem = escaped_pem(enrolled.trust->root->der);
  chain_ = chain;
  return chain;
}

// The four members and no other: a client writes every member to a file of that name (protocol facts, Foundries 0.2).
net::Response RegistrationFace::render(const core::Enrolled& enrolled, std::string_view sota_toml) {
  const auto chain = chain_of(enrolled);
  const std::string leaf = escaped_pem(enrolled.certificate_der);
  net::Response response;
  response.status = 201;
  std::string& body = response.body;
  body.reserve(2 * leaf.size() + chain->issuer_pem.size() + chain->root_pem.size() + sota_toml.size() + 256);
  body.append(R"({"client.chained":")").append(leaf).append("\\n").append(chain->issuer_pem);
  body.append(R"(","client.pem":")").append(leaf);
  body.append(R"(","root.crt":")").append(chain->root_pem);
  body.append(R"(","sota.toml":")");
  append_json_escaped(body, sota_toml);
  body.append("\"}\n");
  if (enrolled.track_delivery) {
    response.on_delivered = [registry = &registry_, row = enrolled.certificate] { registry->note_delivery(row, core::Delivery::answered); };
  }
  return response;
}

}  // namespace birthmark::faces::foundries
