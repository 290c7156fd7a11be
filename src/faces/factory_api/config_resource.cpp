// SPDX-License-Identifier: Apache-2.0
#include "faces/factory_api/config_resource.h"

#include <boost/json.hpp>

#include "base/text.h"
#include "core/lifecycle.h"
#include "faces/factory_api/answers.h"
#include "faces/factory_api/device_view.h"

namespace birthmark::faces::factory_api {
namespace {

namespace json = boost::json;

constexpr std::size_t kBodyBytes = 1536U << 10U;  // a configuration of 1 MiB with its escapes
// An ephemeral point, a counter block and a tag on P-256, the smallest curve (gateway 3.3).
constexpr std::size_t kLeastCiphertext = 65 + 16 + 32;

Task<net::Response> at_once(net::Response response) {
  co_return response;
}

// One value that a device cannot decrypt stops all of its configuration (gateway 3.2), so it is refused here.
Status check_encrypted(const core::ConfigFiles& files) {
  for (const auto& [name, file] : files) {
    if (file.unencrypted) continue;
    const auto octets = from_base64(file.value);
    if (!octets || octets->size() < kLeastCiphertext)
      return fail(ErrorCode::invalid, "the value of " + name +
                                          " is not encrypted for the device (base64 of ECIES): no device could read its configuration; "
                                          "encrypt it, or mark it \"unencrypted\": true");
  }
  return {};
}

}  // namespace

ConfigResource::ConfigResource(Parts parts)
    : parts_(std::move(parts)), configs_(parts_.field), finder_(parts_.factory, parts_.registry, parts_.directory) {}

std::vector<Route> ConfigResource::routes() {
  std::vector<Route> routes;
  add_routes(routes, "/ota/factories/{factory}/config/", Level::factory);
  add_routes(routes, "/ota/factories/{factory}/device-groups/{group}/config/", Level::group);
  add_routes(routes, "/ota/devices/{device}/config/", Level::device);
  return routes;
}

void ConfigResource::add_routes(std::vector<Route>& routes, const std::string& path, Level level) {
  const Access read = Access::scope(core::Scope::devices_read), update = Access::scope(core::Scope::devices_update);
  routes.push_back({"GET", path, read, BodyKind::none, [this, level](const Call& call) { return at_once(list(call, level)); }});
  Route post{"POST", path, update, BodyKind::json, [this, level](const Call& call) { return write(call, level, Way::replace); }};
  Route patch{"PATCH", path, update, BodyKind::json, [this, level](const Call& call) { return write(call, level, Way::merge); }};
  post.body_bytes = kBodyBytes;
  patch.body_bytes = kBodyBytes;
  routes.push_back(std::move(post));
  routes.push_back(std::move(patch));
  routes.push_back(
      {"DELETE", path + "{file}/", update, BodyKind::none, [this, level](const Call& call) { return remove_file(call, level); }});
}

Result<ConfigResource::Owner> ConfigResource::owner_of(const Call& call, Level level) const {
  if (level == Level::factory) return Owner{core::factory_config(parts_.factory), std::nullopt};
  if (level == Level::device) {
    BIRTHMARK_TRY(const auto device, finder_.find(call));
    return Owner{core::device_config(device.identity), device.identity};
  }
  const std::string& group = call.parameter("group");
  BIRTHMARK_CHECK(core::check_group_name(group));
  BIRTHMARK_TRY(const auto known, parts_.directory.group(parts_.factory, group));
  if (!known) return fail(ErrorCode::not_found, "there is no device group '" + group + "'");
  return Owner{core::group_config(parts_.factory, group), std::nullopt};
}

net::Response ConfigResource::list(const Call& call, Level level) {
  const auto owner = owner_of(call, level);
  if (!owner) return error_response(owner.error());
  const auto versions = configs_.history(owner->key);
  if (!versions) return error_response(versions.error());
  const Applied applied = owner->device ? applied_config(parts_.field, *owner->device) : Applied{};
  json::array shown;
  for (const core::ConfigVersion& version : *versions) shown.push_back(config_view(version, applied));
  const std::size_t total = shown.size();
  return json_answer(200, json::serialize(json::object{{"config", std::move(shown)}, {"total", total}, {"next", nullptr}}));
}

// What is for many devices cannot be encrypted for one: it goes out as it is, under TLS.
Task<net::Response> ConfigResource::write(const Call& call, Level level, Way way) {
  auto patch = core::parse_config_patch(call.request.body);
  if (!patch) co_return error_response(patch.error());
  if (level != Level::device) {
    for (auto& [name, file] : patch->files) file.unencrypted = true;
  }
  if (const Status readable = check_encrypted(patch->files); !readable) co_return error_response(readable.error());
  const auto owner = owner_of(call, level);
  if (!owner) co_return error_response(owner.error());
  const std::string actor = actor_of(call.caller);
  const Instant now = parts_.clock.now();
  core::FieldKey key = owner->key;
  if (way == Way::merge) {
    const auto written = co_await configs_.patch(key, patch->files, patch->reason, actor, now);
    co_return written ? json_answer(201, json::serialize(config_view(*written, {}))) : error_response(written.error());
  }
  const auto earlier = configs_.current(key);
  if (!earlier) co_return error_response(earlier.error());
  const auto written = co_await configs_.replace(key, *earlier, patch->files, patch->reason, actor, now);
  co_return written ? json_answer(201, json::serialize(config_view(*written, {}))) : error_response(written.error());
}

Task<net::Response> ConfigResource::remove_file(const Call& call, Level level) {
  const std::string& name = call.parameter("file");
  const auto owner = owner_of(call, level);
  if (!owner) co_return error_response(owner.error());
  const auto earlier = configs_.current(owner->key);
  if (!earlier) co_return error_response(earlier.error());
  core::ConfigFiles files = earlier->files;
  if (files.erase(name) == 0) co_return net::json_error(404, "there is no file '" + name + "' in this configuration");
  const std::string actor = actor_of(call.caller), reason = "deleted " + name;
  const Instant now = parts_.clock.now();
  core::FieldKey key = owner->key;
  const auto written = co_await configs_.replace(key, *earlier, files, reason, actor, now);
  co_return written ? json_answer(200, "{}") : error_response(written.error());
}

}  // namespace birthmark::faces::factory_api
