// SPDX-License-Identifier: Apache-2.0
#include "faces/factory_api/devices_resource.h"

#include <boost/json.hpp>

#include "faces/factory_api/answers.h"
#include "faces/factory_api/json_body.h"

namespace birthmark::faces::factory_api {
namespace {

namespace json = boost::json;

// A list that has to look at what each device says of itself stops after this long and says where to go on.
constexpr Duration kLongestWalk = std::chrono::milliseconds(1500);
constexpr std::size_t kWalkPage = 500;
constexpr std::uint64_t kDeepestId = 20'000;
constexpr std::string_view kReason = "through the factory API";

Task<net::Response> at_once(net::Response response) {
  co_return response;
}

net::Response list_answer(const ListRequest& request, json::array devices, std::uint64_t total, bool least, const json::value& next) {
  json::object body{{"devices", std::move(devices)},
                    {"total", total},
                    {"page", request.page},
                    {"limit", request.query.limit},
                    {"pages", (total + request.query.limit - 1) / request.query.limit},
                    {"next", next}};
  if (least) body["total-is-at-least"] = true;
  return json_answer(200, json::serialize(body));
}

bool has_tag(const json::object& device, const std::string& tag) {
  for (const json::value& known : device.at("device-tags").as_array())
    if (known.as_string() == tag) return true;
  return false;
}

}  // namespace

DevicesResource::DevicesResource(Parts parts)
    : parts_(std::move(parts)),
      configs_(parts_.field),
      finder_(parts_.factory, parts_.registry, parts_.directory),
      sources_{parts_.field, configs_, parts_.codec, parts_.directory, parts_.default_owner} {}

std::vector<Route> DevicesResource::routes() {
  const Access read = Access::scope(core::Scope::devices_read), write = Access::scope(core::Scope::devices_update),
               erase = Access::scope(core::Scope::devices_delete);
  std::vector<Route> routes;
  routes.push_back({"GET", "/ota/devices/", read, BodyKind::none, [this](const Call& call) { return at_once(list(call)); }});
  routes.push_back({"GET", "/ota/devices/{device}/", read, BodyKind::none, [this](const Call& call) { return at_once(show(call)); }});
  routes.push_back({"PATCH", "/ota/devices/{device}/", write, BodyKind::json, [this](const Call& call) { return change(call); }});
  routes.push_back({"DELETE", "/ota/devices/{device}/", erase, BodyKind::none, [this](const Call& call) { return remove(call); }});
  routes.push_back(
      {"GET", "/ota/devices/{device}/apps-states/", read, BodyKind::none, [this](const Call& call) { return at_once(show_apps(call)); }});
  routes.push_back({"GET", "/ota/factories/{factory}/denied-devices/", read, BodyKind::none,
                    [this](const Call& call) { return at_once(list_denied(call)); }});
  routes.push_back({"DELETE", "/ota/factories/{factory}/denied-devices/{device}/", erase, BodyKind::none,
                    [this](const Call& call) { return forget_denied(call); }});
  return routes;
}

// --- lists -------------------------------------------------------------------------------------------------------------------------------

net::Response DevicesResource::list(const Call& call) {
  if (const Status ours = finder_.check_factory(call); !ours) return error_response(ours.error());
  auto request = parse_list_request(call.request.path, call.request.query, parts_.factory, call.caller, parts_.default_owner);
  if (!request) return error_response(request.error());
  if (!request->id.empty()) return list_by_id(*request);
  if (request->tag || request->target) return list_by_state(std::move(*request));
  const auto page = parts_.directory.page(request->query);
  if (!page) return error_response(page.error());
  json::array devices;
  for (const core::DirectoryEntry& entry : page->devices) devices.push_back(list_view(sources_, entry));
  json::value next;
  if (page->more) next = next_page(*request, page->devices.back().device);
  return list_answer(*request, std::move(devices), page->total, page->total_is_least, next);
}

// One device, or those whose ids begin alike, in the order they came.
net::Response DevicesResource::list_by_id(const ListRequest& request) {
  core::DeviceFilter filter;
  filter.status = core::DeviceStatus::active;
  filter.ecosystem = core::Ecosystem::foundries;
  filter.production = request.query.production;
  filter.group = request.query.group;
  const bool beginning = request.id.ends_with('*');
  filter.id_prefix = beginning ? request.id.substr(0, request.id.size() - 1) : request.id;
  const std::uint64_t wanted = request.query.skip + request.query.limit + 1;
  if (wanted > kDeepestId) return net::json_error(400, "Invalid value for 'page': by id only the first 20000 devices are listed");
  const auto found = parts_.registry.list(filter, 0, wanted);
  if (!found) return error_response(found.error());
  json::array devices;
  std::uint64_t fitting = 0;
  for (const core::DeviceSummary& device : *found) {
    if (device.identity.factory != parts_.factory || (!beginning && device.identity.external_id != request.id)) continue;
    if (++fitting <= request.query.skip || devices.size() == request.query.limit) continue;
    const auto owner = parts_.directory.owner_of(device.row);
    devices.push_back(list_view(sources_, {device, owner.value_or(std::string())}));
  }
  const bool more = found->size() == wanted;
  json::value next;
  if (more) next = request.next_path + "page=" + std::to_string(request.page + 1);
  return list_answer(request, std::move(devices), fitting, more, next);
}

// By tag or target: devices in the order by name, each asked what it said last. A page that is not full although there are more says so.
net::Response DevicesResource::list_by_state(ListRequest request) {
  const Duration began = parts_.clock.uptime();
  const std::size_t limit = request.query.limit;
  std::uint64_t to_skip = request.query.skip, fitting = 0;
  json::array devices;
  json::value next;
  core::DirectoryQuery walk = request.query;
  walk.skip = 0;
  walk.limit = kWalkPage;
  for (bool more = true; more && next.is_null();) {
    const auto page = parts_.directory.page(walk);
    if (!page) return error_response(page.error());
    more = page->more;
    for (const core::DirectoryEntry& entry : page->devices) {
      json::object device = list_view(sources_, entry);
      walk.after_name = entry.device.name;
      walk.after = entry.device.row;
      const bool fits =
          (!request.tag || has_tag(device, *request.tag)) && (!request.target || device.at("target-name").as_string() == *request.target);
      if (!fits) continue;
      ++fitting;
      if (to_skip > 0) {
        --to_skip;
        continue;
      }
      if (devices.size() == limit) break;
      devices.push_back(std::move(device));
      if (devices.size() == limit) next = next_page(request, entry.device);
      if (devices.size() == limit) break;
    }
    if (next.is_null() && more && parts_.clock.uptime() - began > kLongestWalk) next = next_page(request, page->devices.back().device);
  }
  const bool least = !next.is_null();
  return list_answer(request, std::move(devices), fitting, least, next);
}

net::Response DevicesResource::list_denied(const Call& call) {
  auto request = parse_list_request(call.request.path, call.request.query, parts_.factory, call.caller, parts_.default_owner);
  if (!request) return error_response(request.error());
  request->query.denied = true;
  const auto page = parts_.directory.page(request->query);
  if (!page) return error_response(page.error());
  json::array devices;
  for (const core::DirectoryEntry& entry : page->devices) devices.push_back(list_view(sources_, entry));
  json::value next;
  if (page->more) next = next_page(*request, page->devices.back().device);
  return list_answer(*request, std::move(devices), page->total, page->total_is_least, next);
}

// --- one device --------------------------------------------------------------------------------------------------------------------------

net::Response DevicesResource::show(const Call& call) {
  const auto device = finder_.find(call);
  if (!device) return error_response(device.error());
  const auto shown = full_view(sources_, *device);
  return shown ? json_answer(200, json::serialize(*shown)) : error_response(shown.error());
}

net::Response DevicesResource::show_apps(const Call& call) {
  constexpr std::size_t kStates = 10;
  const auto device = finder_.find(call);
  if (!device) return error_response(device.error());
  const auto states = parts_.field.newest(core::device_field(device->identity, "apps-states"), kStates);
  if (!states) return error_response(states.error());
  json::array shown;
  for (const core::FieldEntry& entry : *states) {
    boost::system::error_code error;
    json::value state = json::parse(entry.body, error);
    if (!error) shown.push_back(std::move(state));
  }
  return json_answer(200, json::serialize(json::object{{"apps-states", std::move(shown)}}));
}

// What is refused is refused before anything is changed.
Status DevicesResource::check_change(const std::optional<std::string>& name, const std::optional<std::string>& owner,
                                     const std::optional<std::string>& group, const core::DeviceRecord& device) {
  if (!name && !owner && !group) return fail(ErrorCode::invalid, "one of 'name', 'owner' and 'group' is required");
  if (name && *name != device.name) {
    BIRTHMARK_TRY(const bool taken, finder_.name_is_taken(*name));
    if (taken) return fail(ErrorCode::conflict, "a device is called '" + *name + "' already");
  }
  if (owner && !parts_.users.knows(*owner)) return fail(ErrorCode::invalid, "Invalid value for 'owner': there is no such user");
  if (!group || group->empty()) return {};
  BIRTHMARK_CHECK(core::check_group_name(*group));
  BIRTHMARK_TRY(const auto known, parts_.directory.group(parts_.factory, *group));
  if (!known) return fail(ErrorCode::invalid, "Invalid value for 'group': there is no device group '" + *group + "'");
  return {};
}

Task<net::Response> DevicesResource::change(const Call& call) {
  JsonBody body(call.request.body);
  const auto name = body.text("name"), owner = body.text("owner"), group = body.text("group");
  if (auto refusal = body.refusal()) co_return std::move(*refusal);
  const auto device = finder_.find(call);
  if (!device) co_return error_response(device.error());
  if (const Status good = check_change(name, owner, group, *device); !good) co_return error_response(good.error());
  core::Lifecycle lifecycle(parts_.registry, parts_.clock);
  const core::OperatorAct act{std::string(kReason), actor_of(call.caller)};
  if (name) {
    const auto renamed = co_await lifecycle.rename(device->identity, *name, act);
    if (!renamed) co_return error_response(renamed.error());
  }
  if (group) {
    const auto moved = co_await lifecycle.move_to_group(device->identity, *group, act);
    if (!moved) co_return error_response(moved.error());
  }
  if (owner) {
    const auto given = co_await give(device->identity, *owner, act);
    if (!given) co_return error_response(given.error());
  }
  co_return json_answer(200, "{}");
}

Task<Status> DevicesResource::give(core::DeviceIdentity identity, std::string owner, core::OperatorAct act) {
  std::string audit = core::audit_body(core::AuditEvent::device_changed, parts_.clock.now(),
                                       {{"factory", identity.factory},
                                        {"ecosystem", std::string(to_string(identity.ecosystem))},
                                        {"id", identity.external_id},
                                        {"field", "owner"},
                                        {"value", owner},
                                        {"reason", act.reason},
                                        {"actor", act.actor}});
  co_return co_await parts_.directory.set_owner(std::move(identity), std::move(owner), std::move(audit));
}

Task<net::Response> DevicesResource::remove(const Call& call) {
  const auto device = finder_.find(call);
  if (!device) co_return error_response(device.error());
  core::Lifecycle lifecycle(parts_.registry, parts_.clock);
  const core::OperatorAct act{std::string(kReason), actor_of(call.caller)};
  const auto removed = co_await lifecycle.remove(device->identity, act);
  co_return removed ? json_answer(200, "{}") : error_response(removed.error());
}

Task<net::Response> DevicesResource::forget_denied(const Call& call) {
  const std::string& id = call.parameter("device");
  const auto identity = core::identify(parts_.factory, core::Ecosystem::foundries, id, core::DeviceIdRule::safe);
  const auto found = identity ? parts_.registry.find(*identity) : Result<std::optional<core::DeviceRecord>>(std::nullopt);
  if (!found) co_return error_response(found.error());
  if (!*found || (*found)->status != core::DeviceStatus::denied)
    co_return net::json_error(404, "Device(" + id + ") is not on the denied list");
  core::Lifecycle lifecycle(parts_.registry, parts_.clock);
  const core::OperatorAct act{std::string(kReason), actor_of(call.caller)};
  const auto allowed = co_await lifecycle.allow(*identity, act);
  co_return allowed ? json_answer(200, "{}") : error_response(allowed.error());
}

}  // namespace birthmark::faces::factory_api
