// SPDX-License-Identifier: Apache-2.0
#include "faces/factory_api/users_resource.h"

#include <boost/json.hpp>

#include "faces/factory_api/answers.h"

namespace birthmark::faces::factory_api {
namespace {

namespace json = boost::json;

Task<net::Response> at_once(net::Response response) {
  co_return response;
}

json::object user_view(const core::UserRecord& user) {
  return {{"polis-id", user.id}, {"name", user.name}, {"role", std::string(to_string(user.role))}};
}

// fioctl cuts off what stands before the first colon.
json::array scopes_view(const std::string& factory, const core::Scopes& scopes) {
  json::array shown;
  for (const core::Scope scope : {core::Scope::devices_create, core::Scope::devices_read, core::Scope::devices_update,
                                  core::Scope::devices_delete, core::Scope::ca_manage}) {
    if (scopes.hold(scope)) shown.emplace_back(factory + ":" + std::string(to_string(scope)));
  }
  return shown;
}

}  // namespace

std::vector<Route> UsersResource::routes() {
  const Access any = Access::every_caller();
  std::vector<Route> routes;
  routes.push_back({"GET", "/ota/factories/", any, BodyKind::none, [this](const Call&) {
                      const json::array all{json::object{{"name", factory_}, {"reposerver-id", factory_}}};
                      return at_once(json_answer(200, json::serialize(all)));
                    }});
  routes.push_back({"GET", "/ota/factories/{factory}/users/", any, BodyKind::none, [this](const Call&) { return at_once(list()); }});
  routes.push_back(
      {"GET", "/ota/factories/{factory}/users/{user}/", any, BodyKind::none, [this](const Call& call) { return at_once(show(call)); }});
  return routes;
}

net::Response UsersResource::list() {
  const auto users = users_.users();
  if (!users) return error_response(users.error());
  json::array shown;
  for (const core::UserRecord& user : *users) shown.push_back(user_view(user));
  return json_answer(200, json::serialize(shown));
}

// Of oneself also what one may do; there are no teams here.
net::Response UsersResource::show(const Call& call) {
  const std::string& asked = call.parameter("user");
  const bool self = asked == "self";
  const auto found = users_.find(self ? call.caller.user_id : asked);
  if (!found) return error_response(found.error());
  if (!*found) return net::json_error(404, "there is no user '" + asked + "'");
  json::object shown = user_view(**found);
  shown["teams-ext"] = json::array();
  shown["effective-scopes"] = self || (*found)->id == call.caller.user_id ? scopes_view(factory_, call.caller.scopes) : json::array();
  return json_answer(200, json::serialize(shown));
}

}  // namespace birthmark::faces::factory_api
