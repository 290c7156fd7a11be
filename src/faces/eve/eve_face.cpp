// SPDX-License-Identifier: Apache-2.0
#include "faces/eve/eve_face.h"

#include <eve.pb.h>
#include <algorithm>
#include <array>

#include "base/log.h"
#include "base/text.h"

namespace birthmark::faces::eve {
namespace {

constexpr const char* kProtobuf = "application/x-proto-binary";
constexpr std::string_view kPrefixes[] = {"/edgedevice", "/edgeDevice"};  // the wire and the text of the specification differ

int status_of(core::RefusalKind kind) {
  switch (kind) {
    case core::RefusalKind::bad_request: return 422;
    case core::RefusalKind::unauthenticated: return 401;
    case core::RefusalKind::forbidden: return 403;
    case core::RefusalKind::conflict: return 409;
    case core::RefusalKind::too_many: return 429;
    case core::RefusalKind::unavailable: return 503;
  }
  return 503;
}

net::Response unavailable(const Error& error) {
  log::error("EVE request failed", {{"error", error.describe()}});
  net::Response response = net::json_error(503, error.public_message);
  response.headers.emplace_back("Retry-After", "5");
  return response;
}

net::Response allow_only(std::string_view method) {
  net::Response response = net::json_error(405, "this path takes: " + std::string(method));
  response.headers.emplace_back("Allow", std::string(method));
  return response;
}

// The rest of `path` behind `prefix`; nothing when it does not begin so.
std::optional<std::string_view> behind(std::string_view path, std::string_view prefix) {
  if (!path.starts_with(prefix)) return std::nullopt;
  return path.substr(prefix.size());
}

}  // namespace

net::Response empty_answer(int status) {
  net::Response response;
  response.status = status;
  response.content_type = kProtobuf;
  return response;
}

Task<net::Response> EveFace::handle(const net::Request& request) {
  for (const auto& [name, version] : {std::pair{"/api/v2", Version::v2}, {"/api/v1", Version::v1}}) {
    const auto rest = behind(request.path, name);
    if (!rest) continue;
    for (const std::string_view prefix : kPrefixes) {
      const auto path = behind(*rest, prefix);
      const Version spoken = version;
      if (path) co_return co_await route(request, spoken, *path);
    }
  }
  if (more_ != nullptr) co_return co_await more_->handle(request);
  co_return net::json_error(404, "there is nothing here");
}

Task<net::Response> EveFace::route(const net::Request& request, Version version, std::string_view path) {
  if (path == "/ping") co_return request.method == "GET" ? ping(request, version) : allow_only("GET");
  if (path == "/certs") {
    if (request.method != "GET") co_return allow_only("GET");
    co_return co_await certificates();
  }
  if (path == "/register") {
    if (request.method != "POST") co_return allow_only("POST");
    co_return co_await register_node(request, version);
  }
  if (path == "/uuid") {
    // EVE sends POST; v1 of the specification knows GET.
    if (request.method != "POST" && !(version == Version::v1 && request.method == "GET")) co_return allow_only("POST");
    co_return co_await uuid(request, version);
  }
  co_return co_await node_route(request, version, path);
}

// v2: /id/<uuid>/<what>; v1: /<what>, the node is the one of the TLS certificate. v1 with /id/ is taken too: some releases mixed them.
Task<net::Response> EveFace::node_route(const net::Request& request, Version version, std::string_view path) {
  std::string_view named;
  if (const auto rest = behind(path, "/id/")) {
    const std::size_t slash = rest->find('/');
    if (slash == std::string_view::npos) co_return net::json_error(404, "there is nothing here");
    named = rest->substr(0, slash);
    path = rest->substr(slash);
    if (!parse_uuid(named)) co_return net::json_error(403, "the path names no node");
  } else if (version == Version::v2) {
    co_return net::json_error(404, "there is nothing here");
  }
  constexpr std::array<std::string_view, 8> kWhats{"/config", "/attest",  "/info",    "/metrics",
                                                   "/logs",   "/newlogs", "/flowlog", "/hardwarehealth"};
  const bool about_application = path.starts_with("/apps/instanceid/") || path.starts_with("/apps/instances/id/");
  if (!about_application && std::find(kWhats.begin(), kWhats.end(), path) == kWhats.end())
    co_return net::json_error(404, "there is nothing here");
  const bool reads = path == "/config" && version == Version::v1 && request.method == "GET";
  if (request.method != "POST" && !reads) co_return allow_only("POST");
  const bool asks_config = path == "/config";
  Entrance entrance = co_await admit(request, version, named, asks_config);
  if (auto* refused = std::get_if<net::Response>(&entrance)) co_return std::move(*refused);
  const Call& call = std::get<Call>(entrance);
  if (asks_config) co_return co_await config(call);
  if (path == "/attest") co_return co_await attest(call);
  co_return co_await report(call, path);
}

// v1 asks for a certificate, and takes any: before it is registered a node has its onboarding certificate alone, and network checks must
// not fail because an operator has not announced it yet.
net::Response EveFace::ping(const net::Request& request, Version version) const {
  if (version == Version::v1 && !request.peer.certificate) return net::json_error(401, "API v1 asks for a client certificate");
  return empty_answer(200);
}

Task<net::Response> EveFace::certificates() {
  const auto controller = parts_.controller.current();
  if (!controller) co_return net::json_error(503, "the controller has no certificates yet: birthmark onboard controller-pki");
  const Controller& known = *controller;
  auto sealed = co_await seal(known, known.certificates);
  if (!sealed) co_return unavailable(sealed.error());
  net::Response response = empty_answer(200);
  response.body = std::move(*sealed);
  co_return response;
}

Result<core::NodeAttempt> EveFace::read_attempt(std::string_view message) const {
  wire::ZRegisterMsg asked;
  if (!asked.ParseFromArray(message.data(), static_cast<int>(message.size())))
    return fail(ErrorCode::invalid, "the body is not a ZRegisterMsg");
  auto certificate = read_wrapped_certificate(asked.pemcert());
  if (!certificate) return fail(ErrorCode::invalid, "pemCert: " + certificate.error().public_message);
  core::NodeAttempt attempt;
  attempt.certificate_der = std::move(*certificate);
  attempt.serial = std::move(*asked.mutable_serial());
  attempt.soft_serial = std::move(*asked.mutable_softserial());
  return attempt;
}

// The key of the onboarding certificate proves the sender: by the envelope's signature, or in the TLS handshake.
Task<net::Response> EveFace::register_node(const net::Request& request, Version version) {
  std::string message;
  Bytes onboarding;
  if (version == Version::v1) {
    if (!request.peer.certificate) co_return net::json_error(401, "registering with API v1 needs the onboarding certificate in TLS");
    onboarding = request.peer.certificate->chain.front();
    message = request.body;
  } else {
    auto envelope = open_envelope(request.body);
    if (!envelope) {
      const int status = envelope.error().code == ErrorCode::forbidden ? 401 : 422;
      co_return net::json_error(status, envelope.error().public_message);
    }
    auto sender = read_wrapped_certificate(envelope->sender_certificate);
    if (!sender) co_return net::json_error(401, "senderCert: " + sender.error().public_message);
    const auto facts = parts_.codec.read_certificate(*sender);
    if (!facts) co_return net::json_error(401, "senderCert: " + facts.error().public_message);
    if (!is_hash_of(envelope->sender_hash, parts_.codec.sha256(*sender)))
      co_return net::json_error(401, "senderCertHash is not that of senderCert");
    if (!parts_.crypto.verify_raw(facts->spki_der, as_bytes(envelope->payload), envelope->signature))
      co_return net::json_error(401, "the signature is not by senderCert's key");
    onboarding = std::move(*sender);
    message = std::move(envelope->payload);
  }
  auto attempt = read_attempt(message);
  if (!attempt) co_return net::json_error(422, attempt.error().public_message);
  attempt->onboarding_der = std::move(onboarding);
  attempt->peer_address = request.peer.address;
  const core::NodeAttempt& asked = *attempt;
  auto outcome = co_await parts_.onboarder.onboard(asked);
  if (const auto* refusal = std::get_if<core::Refusal>(&outcome)) {
    net::Response response = net::json_error(status_of(refusal->kind), refusal->public_text);
    if (response.status == 503) response.headers.emplace_back("Retry-After", "5");
    co_return response;
  }
  co_return empty_answer(std::get<core::Onboarded>(outcome).replayed ? 200 : 201);
}

Task<EveFace::Entrance> EveFace::admit(const net::Request& request, Version version, std::string_view url_uuid, bool asks_config) {
  Call call;
  call.request = &request;
  call.version = version;
  Bytes hash;
  Envelope envelope;
  if (version == Version::v1) {
    if (!request.peer.certificate) co_return Entrance(net::json_error(401, "API v1 asks for the device certificate in TLS"));
    hash = to_bytes(request.peer.certificate->fingerprint.view());
    call.payload = request.body;
  } else {
    auto opened = open_envelope(request.body);
    if (!opened) {
      const int status = opened.error().code == ErrorCode::forbidden ? 401 : 400;
      co_return Entrance(net::json_error(status, opened.error().public_message));
    }
    envelope = std::move(*opened);
    hash = envelope.sender_hash;
  }
  auto known = parts_.onboarder.identify(hash);
  if (!known) co_return Entrance(unavailable(known.error()));
  if (known->standing == core::NodeStanding::unknown) co_return Entrance(net::json_error(401, "no node has this device certificate"));
  if (version == Version::v2) {
    if (!parts_.crypto.verify_raw(known->node->spki_der, as_bytes(envelope.payload), envelope.signature))
      co_return Entrance(net::json_error(401, "the signature is not by the device certificate's key"));
    call.payload = std::move(envelope.payload);
  }
  if (known->standing == core::NodeStanding::deleted && asks_config) co_return Entrance(net::json_error(404, "this node was deleted"));
  if (known->standing == core::NodeStanding::released) {
    const core::NodeRecord& node = *known->node;
    auto readmitted = co_await parts_.onboarder.readmit(node, request.peer.address);
    if (!readmitted) co_return Entrance(unavailable(readmitted.error()));
    if (!*readmitted) co_return Entrance(net::json_error(401, "no node has this device certificate"));
    known->standing = core::NodeStanding::in;
  }
  if (known->standing != core::NodeStanding::in) co_return Entrance(net::json_error(403, "this node is on the deny list"));
  call.node = std::move(*known->node);
  if (!url_uuid.empty() && to_lower(url_uuid) != call.node.identity.external_id)
    co_return Entrance(net::json_error(403, "the path names another node than the one that signed"));
  co_return Entrance(std::move(call));
}

Task<net::Response> EveFace::uuid(const net::Request& request, Version version) {
  const std::string_view unnamed;
  const bool asks_config = false;
  Entrance entrance = co_await admit(request, version, unnamed, asks_config);
  if (auto* refused = std::get_if<net::Response>(&entrance)) co_return std::move(*refused);
  const Call& call = std::get<Call>(entrance);
  wire::UuidResponse found;
  found.set_uuid(call.node.identity.external_id);
  std::string message = found.SerializeAsString();
  const int status = 200;
  co_return co_await answer(call, std::move(message), status);
}

// Bare in v1, in a signed envelope in v2.
Task<net::Response> EveFace::answer(const Call& call, std::string message, int status) {
  net::Response response = empty_answer(status);
  if (call.version == Version::v1) {
    response.body = std::move(message);
    co_return response;
  }
  const auto controller = parts_.controller.current();
  if (!controller) co_return net::json_error(503, "the controller has no certificates yet: birthmark onboard controller-pki");
  const Controller& known = *controller;
  auto sealed = co_await seal(known, std::move(message));
  if (!sealed) co_return unavailable(sealed.error());
  response.body = std::move(*sealed);
  co_return response;
}

Task<Status> EveFace::store(const core::NodeRecord& node, const char* kind, std::string body, std::size_t keep) {
  core::FieldAppend append;
  append.key = core::node_field(node.identity, kind);
  append.bodies.push_back(std::move(body));
  append.at = parts_.clock.now();
  append.keep = keep;
  auto written = co_await parts_.field.append(std::move(append));
  if (!written) co_return tl::make_unexpected(written.error());
  co_return Status();
}

Result<std::string> EveFace::newest(const core::NodeRecord& node, const char* kind) const {
  BIRTHMARK_TRY(const auto entries, parts_.field.newest(core::node_field(node.identity, kind), 1));
  return entries.empty() ? std::string() : entries.front().body;
}

}  // namespace birthmark::faces::eve
