// SPDX-License-Identifier: Apache-2.0
// POST .../config (protocol facts, EVE 2.1): what the operator set for this node or for all, completed; 304 when the node has it already.
#include <eve.pb.h>

#include "base/text.h"
#include "faces/eve/eve_config.h"
#include "faces/eve/eve_face.h"

namespace birthmark::faces::eve {
namespace {

// A node refuses a configuration that is older than the one it has: the moment never goes backwards, since entries are dated one after
// the other, and a fresh node's is that of its registration.
void date(wire::EdgeDevConfig& config, Instant at) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(at);
  config.mutable_configtimestamp()->set_seconds(seconds.time_since_epoch().count());
  config.mutable_configtimestamp()->set_nanos(static_cast<std::int32_t>((at - seconds).count() * 1'000'000));
}

}  // namespace

Result<ConfigInForce> config_in_force(core::FieldLog& field, const core::NodeRecord& node) {
  BIRTHMARK_TRY(const auto own, field.newest(core::node_field(node.identity, kConfigLog), 1));
  BIRTHMARK_TRY(const auto common, field.newest({node.identity.factory, "eve-nodes", kConfigLog}, 1));
  ConfigInForce found;
  found.at = node.registered_at;
  const core::FieldEntry* entry = !own.empty() && !own.front().body.empty() ? &own.front() : common.empty() ? nullptr : &common.front();
  for (const auto* entries : {&own, &common})
    if (!entries->empty()) found.at = std::max(found.at, entries->front().at);
  if (entry != nullptr) {
    found.body = entry->body;
    found.set = true;
    found.entry = entry->row;
  }
  return found;
}

Result<std::string> complete_config(const ConfigInForce& set, const std::string& uuid, const Controller& controller) {
  wire::EdgeDevConfig config;
  if (!config.ParseFromString(set.body)) return fail(ErrorCode::internal, "the node's stored configuration cannot be read");
  config.mutable_id()->set_uuid(uuid);
  if (config.id().version().empty()) config.mutable_id()->set_version(std::to_string(std::max<core::RowId>(set.entry, 1)));
  config.set_controllercertconfighash(controller.fingerprint);
  date(config, set.at);
  return config.SerializeAsString();
}

Result<std::string> EveFace::effective_config(const Call& call, const Controller& controller) const {
  BIRTHMARK_TRY(const ConfigInForce set, config_in_force(parts_.field, call.node));
  return complete_config(set, call.node.identity.external_id, controller);
}

Task<net::Response> EveFace::config(const Call& call) {
  const auto controller = parts_.controller.current();
  if (!controller) co_return net::json_error(503, "the controller has no certificates yet: birthmark onboard controller-pki");
  wire::ConfigRequest asked;
  const bool reads = call.request->method == "GET";
  if (!reads && !asked.ParseFromString(call.payload)) co_return net::json_error(400, "the message is not a ConfigRequest");
  auto config = effective_config(call, *controller);
  if (!config) co_return net::json_error(503, config.error().public_message);
  const int status = 200;
  if (reads) {  // the deprecated form: the configuration alone, whose id tells an old node its UUID
    net::Response response = empty_answer(status);
    response.body = std::move(*config);
    co_return response;
  }
  if (settings_.enforce_attestation) {
    const auto token = newest(call.node, kTokenLog);
    if (!token) co_return net::json_error(503, token.error().public_message);
    const std::string shown = to_hex(parts_.codec.sha256(as_bytes(asked.integritytoken())).view());
    if (token->empty() || *token != shown) co_return net::json_error(403, "the integrity token is not that of the newest attestation");
  }
  const std::string hash = to_hex(parts_.codec.sha256(as_bytes(*config)).view());
  if (asked.confighash() == hash) co_return empty_answer(304);
  wire::ConfigResponse response;
  if (!response.mutable_config()->ParseFromString(*config)) co_return net::json_error(503, "the configuration cannot be rendered");
  response.set_confighash(hash);
  std::string message = response.SerializeAsString();
  co_return co_await answer(call, std::move(message), status);
}

}  // namespace birthmark::faces::eve
