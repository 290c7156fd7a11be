// SPDX-License-Identifier: Apache-2.0
#include "faces/factory_api/groups_resource.h"

#include <boost/json.hpp>

#include "core/access_audit.h"
#include "core/lifecycle.h"
#include "faces/factory_api/answers.h"
#include "faces/factory_api/device_finder.h"
#include "faces/factory_api/device_view.h"
#include "faces/factory_api/json_body.h"

namespace birthmark::faces::factory_api {
namespace {

namespace json = boost::json;

constexpr std::size_t kLongestDescription = 1024;

Task<net::Response> at_once(net::Response response) {
  co_return response;
}

void check_group(JsonBody& body, const std::optional<std::string>& name, const std::optional<std::string>& description) {
  if (name && (name->empty() || !core::check_group_name(*name)))
    body.complain("name", "must have 1 to 64 letters, digits, dots, dashes and underscores");
  if (description && description->size() > kLongestDescription) body.complain("description", "must have at most 1024 bytes");
}

}  // namespace

std::vector<Route> GroupsResource::routes() {
  const Access read = Access::scope(core::Scope::devices_read), update = Access::scope(core::Scope::devices_update);
  const std::string all = "/ota/factories/{factory}/device-groups/", one = all + "{group}/";
  std::vector<Route> routes;
  routes.push_back({"GET", all, read, BodyKind::none, [this](const Call&) { return at_once(list()); }});
  routes.push_back({"POST", all, update, BodyKind::json, [this](const Call& call) { return add(call); }});
  routes.push_back({"PATCH", one, update, BodyKind::json, [this](const Call& call) { return change(call); }});
  routes.push_back({"DELETE", one, update, BodyKind::none, [this](const Call& call) { return remove(call); }});
  return routes;
}

std::string GroupsResource::audit(const Call& call, const std::string& group, const std::string& what) const {
  return core::audit_body(core::AccessEvent::group_changed, parts_.clock.now(),
                          {{"factory", parts_.factory}, {"group", group}, {"change", what}, {"actor", actor_of(call.caller)}});
}

net::Response GroupsResource::list() {
  const auto groups = parts_.directory.groups(parts_.factory);
  if (!groups) return error_response(groups.error());
  json::array shown;
  for (const core::DeviceGroup& group : *groups) shown.push_back(group_view(group));
  return json_answer(200, json::serialize(json::object{{"groups", std::move(shown)}}));
}

Task<net::Response> GroupsResource::add(const Call& call) {
  JsonBody body(call.request.body);
  const auto name = body.text("name"), description = body.text("description");
  if (!name && !body.refusal()) body.complain("name", "is required");
  check_group(body, name, description);
  if (auto refusal = body.refusal()) co_return std::move(*refusal);
  core::DeviceGroup wanted;
  wanted.factory = parts_.factory;
  wanted.name = *name;
  wanted.description = description.value_or("");
  wanted.created_at = parts_.clock.now();
  wanted.created_by = call.caller.user_id;
  std::string record = audit(call, wanted.name, "made");
  const auto made = co_await parts_.directory.add_group(std::move(wanted), std::move(record));
  co_return made ? json_answer(201, json::serialize(group_view(*made))) : error_response(made.error());
}

Task<net::Response> GroupsResource::change(const Call& call) {
  JsonBody body(call.request.body);
  core::DeviceGroupChange wanted;
  wanted.name = body.text("name");
  wanted.description = body.text("description");
  check_group(body, wanted.name, wanted.description);
  if (auto refusal = body.refusal()) co_return std::move(*refusal);
  if (!wanted.name && !wanted.description) co_return net::json_error(400, "one of 'name' and 'description' is required");
  core::DeviceGroup group;
  group.factory = parts_.factory;
  group.name = call.parameter("group");
  group.updated_at = parts_.clock.now();
  group.updated_by = call.caller.user_id;
  std::string record = audit(call, group.name, wanted.name && *wanted.name != group.name ? "renamed " + *wanted.name : "described");
  const auto changed = co_await parts_.directory.change_group(std::move(group), std::move(wanted), std::move(record));
  co_return changed ? json_answer(200, json::serialize(group_view(*changed))) : error_response(changed.error());
}

Task<net::Response> GroupsResource::remove(const Call& call) {
  std::string name = call.parameter("group"), record = audit(call, name, "removed");
  std::string factory = parts_.factory;
  const auto removed = co_await parts_.directory.remove_group(std::move(factory), std::move(name), std::move(record));
  net::Response done;
  done.status = 204;
  co_return removed ? done : error_response(removed.error());
}

}  // namespace birthmark::faces::factory_api
