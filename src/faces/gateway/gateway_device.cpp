// SPDX-License-Identifier: Apache-2.0
// GET and PATCH /device (protocol facts, gateway 1.4 and 3.6).
#include <boost/json.hpp>

#include "base/pem.h"
#include "base/text.h"
#include "faces/gateway/gateway_face.h"

namespace birthmark::faces::gateway {
namespace {

namespace json = boost::json;

constexpr std::string_view kOwnerPrefix = "fio-";

std::int64_t seconds(Instant at) {
  return to_unix_ms(at) / 1000;
}

// The CN of a local CA is "fio-<user id>"; its devices belong to that user (protocol facts, gateway 2.3).
std::string owner_of(const core::TrustSnapshot& trust, core::RowId issuer) {
  const core::DeviceAuthority* authority = trust.by_row(issuer);
  if (authority == nullptr) return {};
  const auto names = authority->facts.values(core::NameAttributeType::common_name);
  if (names.empty() || !names.front().starts_with(kOwnerPrefix)) return {};
  return std::string(names.front().substr(kOwnerPrefix.size()));
}

// {"next_pubkey": "-----BEGIN PUBLIC KEY-----..."}
Result<Bytes> read_next_key(std::string_view body) {
  boost::system::error_code error;
  const json::value parsed = json::parse({body.data(), body.size()}, error);
  if (error || !parsed.is_object()) return fail(ErrorCode::invalid, "the body must be a JSON object");
  const json::value* pem = parsed.get_object().if_contains("next_pubkey");
  if (pem == nullptr || !pem->is_string()) return fail(ErrorCode::invalid, "next_pubkey is required");
  auto block = decode_first_pem(std::string_view(pem->get_string()));
  if (!block || block->label != "PUBLIC KEY") return fail(ErrorCode::invalid, "next_pubkey must be a PEM PUBLIC KEY");
  return std::move(block->contents);
}

}  // namespace

// The union of the keys that aktualizr-lite, fioup and the vendor's own tools read.
net::Response GatewayFace::show_device(const core::AdmittedDevice& device) {
  const core::DeviceState state = parts_.contacts.state_of(device);
  const auto trust = parts_.trust.current();
  const std::string& factory = device.identity.factory;
  json::object object{{"Name", device.name},
                      {"name", device.name},
                      {"uuid", device.identity.external_id},
                      {"factory", factory},
                      {"owner", owner_of(*trust, device.issuer)},
                      {"repo_id", factory},
                      {"created_at", seconds(device.created_at)},
                      {"last_seen", seconds(parts_.clock.now())},
                      {"is_prod", device.production},
                      {"group_name", device.group},
                      {"tag", state.tag},
                      {"target_name", state.target},
                      {"ostree_hash", state.ostree_hash},
                      {"docker_apps", state.apps},
                      {"update_name", ""},
                      {"pubkey", encode_pem("PUBLIC KEY", device.spki_der)}};
  net::Response response;
  response.body = json::serialize(object);
  return response;
}

Task<net::Response> GatewayFace::announce_key(const net::Request& request, DevicePointer device) {
  auto key = read_next_key(request.body);
  if (!key) co_return net::json_error(400, key.error().public_message);
  const SpkiHash next = SpkiHash::from(parts_.codec.sha256(*key).view()).value_or(SpkiHash{});
  const core::AdmittedDevice& current = *device;
  auto announced = co_await parts_.gate.announce_key(current, next);
  if (!announced) co_return net::json_error(503, announced.error().public_message);
  co_return net::Response{};
}

}  // namespace birthmark::faces::gateway
