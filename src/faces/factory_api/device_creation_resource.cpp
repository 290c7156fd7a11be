// SPDX-License-Identifier: Apache-2.0
#include "faces/factory_api/device_creation_resource.h"

#include "base/pem.h"
#include "base/text.h"
#include "core/lifecycle.h"
#include "faces/factory_api/answers.h"
#include "faces/factory_api/json_body.h"
#include "faces/sign_request.h"
#include "faces/sota_toml.h"

namespace birthmark::faces::factory_api {
namespace {

constexpr std::string_view kCertificateLabel = "CERTIFICATE";
constexpr std::size_t kMaxNameBytes = 256;

// The first certificate: what follows it would be its chain, which is ours to know.
Result<Bytes> leaf_of(std::string_view pem) {
  BIRTHMARK_TRY(PemBlock block, decode_first_pem(pem));
  if (block.label != kCertificateLabel) return fail(ErrorCode::invalid, "Invalid value for 'client.pem': it holds no certificate");
  return std::move(block.contents);
}

bool is_name(const std::string& name) {
  return name.size() <= kMaxNameBytes && is_utf8(name) && name.find_first_of(std::string_view("\0\r\n\t", 4)) == std::string::npos;
}

// Somebody approved one device, and looked at its id.
bool may_create(const Caller& caller, const std::optional<std::string>& id) {
  return caller.device.empty() || (id && to_lower(caller.device) == to_lower(*id));
}

core::Enrollment to_enrollment(SignRequest& request, const Call& call) {
  core::Enrollment enrollment;
  enrollment.ecosystem = core::Ecosystem::foundries;
  enrollment.csr_pem = std::move(request.csr);
  enrollment.claims = {std::move(request.uuid), std::move(request.name), request.hardware_id, std::move(request.group)};
  enrollment.proof = core::Proof::token;
  constexpr std::string_view kToken = "token:";  // the audit puts it before the credential itself
  const std::string& name = call.caller.name;
  enrollment.origin = {call.request.peer.address, name, name.starts_with(kToken) ? name.substr(kToken.size()) : name};
  enrollment.lifts_denial = true;  // as the hosted service does: whoever may create devices may bring one back
  return enrollment;
}

}  // namespace

std::vector<Route> DeviceCreationResource::routes() {
  const Access access = Access::scope(core::Scope::devices_create);
  std::vector<Route> routes;
  routes.push_back({"POST", "/ota/devices/", access, BodyKind::json, [this](const Call& call) { return create(call); }});
  routes.push_back({"PUT", "/ota/devices/", access, BodyKind::json, [this](const Call& call) { return introduce(call); }});
  return routes;
}

Task<net::Response> DeviceCreationResource::create(const Call& call) {
  auto parsed = parse_sign_request(call.request.body, GroupMember::taken);
  if (!parsed) co_return net::json_error(400, parsed.error().public_message);
  if (const Status good = core::check_group_name(parsed->group); !good) co_return error_response(good.error());
  if (!is_name(parsed->name)) co_return net::json_error(400, "Invalid value for 'name': it must be one line");
  if (!may_create(call.caller, parsed->uuid)) co_return net::json_error(403, "this token was approved for another device");
  const core::Enrollment enrollment = to_enrollment(*parsed, call);
  auto outcome = co_await parts_.enroller.enroll(enrollment);
  if (const auto* refusal = std::get_if<core::Refusal>(&outcome)) co_return refusal_response(*refusal);
  const SotaParameters parameters{parsed->hardware_id, parsed->sota_config_dir, parts_.servers.gateway, parts_.servers.ostree};
  const std::string sota_toml = render_sota_toml(parameters, parsed->overrides);
  co_return render(std::get<core::Enrolled>(outcome), sota_toml);
}

// The four members and no other: a client writes every member to a file of that name (protocol facts, Foundries 0.2).
net::Response DeviceCreationResource::render(const core::Enrolled& enrolled, const std::string& sota_toml) const {
  const std::string leaf = encode_pem(kCertificateLabel, enrolled.certificate_der);
  const core::DeviceAuthority* issuer = enrolled.trust->by_row(enrolled.issuer);
  const std::string chain = issuer != nullptr ? leaf + "\n" + encode_pem(kCertificateLabel, issuer->record.der) : leaf;
  const std::string root = enrolled.trust->root ? encode_pem(kCertificateLabel, enrolled.trust->root->der) : std::string();
  net::Response response =
      json_answer(201, "{\"client.chained\": " + json_string(chain) + ", \"client.pem\": " + json_string(leaf) +
                           ", \"root.crt\": " + json_string(root) + ", \"sota.toml\": " + json_string(sota_toml) + "}");
  if (enrolled.track_delivery) {
    core::Registry& registry = parts_.registry;
    response.on_delivered = [&registry, row = enrolled.certificate] { registry.note_delivery(row, core::Delivery::answered); };
  }
  return response;
}

Task<net::Response> DeviceCreationResource::introduce(const Call& call) {
  if (!call.caller.device.empty()) co_return net::json_error(403, "this token was approved for a device that sends a request of its own");
  JsonBody body(call.request.body);
  core::Introduction introduction;
  const std::string pem = body.text("client.pem").value_or("");
  introduction.name = body.text("name").value_or("");
  introduction.group = body.text("group").value_or("");
  introduction.station = call.caller.name;
  introduction.peer_address = call.request.peer.address;
  if (pem.empty()) body.complain("client.pem", "the device's certificate is required, in PEM");
  if (!is_name(introduction.name)) body.complain("name", "must be one line of at most 256 bytes");
  if (auto refusal = body.refusal()) co_return std::move(*refusal);
  if (const Status good = core::check_group_name(introduction.group); !good) co_return error_response(good.error());
  auto leaf = leaf_of(pem);
  if (!leaf) co_return net::json_error(400, leaf.error().public_message);
  introduction.certificate_der = std::move(*leaf);
  const auto refusal = co_await parts_.gate.introduce(introduction, parts_.verifier);
  if (refusal) co_return refusal_response(*refusal);
  co_return json_answer(201, "{}");
}

}  // namespace birthmark::faces::factory_api
