// SPDX-License-Identifier: Apache-2.0
// The face with the resources around devices and callers, over a registry of its own; requests go to it as net/ would hand them over.
#pragma once

#include <boost/json.hpp>

#include "core/token_cache.h"
#include "core/token_keeper.h"
#include "crypto/x509_codec.h"
#include "faces/factory_api/approval_resource.h"
#include "faces/factory_api/config_resource.h"
#include "faces/factory_api/devices_resource.h"
#include "faces/factory_api/factory_api_face.h"
#include "faces/factory_api/groups_resource.h"
#include "faces/factory_api/oauth_resource.h"
#include "faces/factory_api/users_resource.h"
#include "fake_clock.h"
#include "fleet_registry.h"

namespace birthmark::testing {

class TestFleetFace {
 public:
  TestFleetFace() {
    namespace api = faces::factory_api;
    auto& store = fleet.registry();
    std::vector<std::unique_ptr<api::Resource>> resources;
    resources.push_back(std::make_unique<api::DevicesResource>(api::DevicesResource::Parts{
        "factory-a", store, store.directory(), store.field(), kFleetCodec, clock, users, users.default_owner()}));
    resources.push_back(
        std::make_unique<api::ConfigResource>(api::ConfigResource::Parts{"factory-a", store, store.directory(), store.field(), clock}));
    resources.push_back(std::make_unique<api::GroupsResource>(api::GroupsResource::Parts{"factory-a", store.directory(), clock}));
    resources.push_back(std::make_unique<api::UsersResource>("factory-a", users));
    resources.push_back(std::make_unique<api::OauthResource>(api::OauthResource::Parts{"factory-a", desk, failures, clock, {}, {}}));
    resources.push_back(std::make_unique<api::ApprovalResource>(
        api::ApprovalResource::Parts{"factory-a", desk, failures, kFleetCodec, clock, {&tokens, &given}, {}}));
    for (const auto& resource : resources)
      for (const api::Route& route : resource->routes()) routes.push_back(route);
    std::vector<std::unique_ptr<api::Authenticator>> authenticators;
    authenticators.push_back(std::make_unique<api::NotedTokens>(cache, users, store.api_access()));
    authenticators.push_back(std::make_unique<api::GivenTokens>(desk, users));
    const auto count = [this](const net::Request& request) { return failures.count(request.peer.address, clock.uptime()); };
    face = std::make_unique<api::FactoryApiFace>("factory-a", clock, std::move(authenticators), std::move(resources), count);
    token = make_token("admin");
  }

  std::string make_token(std::string_view scopes) {
    core::TokenKeeper keeper(fleet.registry().tokens(), kFleetCodec, clock, *random);
    return good(run_task(keeper.create({"factory-a", good(core::Scopes::parse(scopes)), {}, {}}, {"a test", "test"}))).text;
  }

  struct Answer {
    int status = 0;
    std::string text;
    boost::json::value body;
    std::vector<std::pair<std::string, std::string>> headers;
    [[nodiscard]] std::string header(std::string_view name) const {
      for (const auto& [known, value] : headers)
        if (known == name) return value;
      return {};
    }
  };
  using Headers = std::vector<std::pair<std::string, std::string>>;

  Answer ask(std::string_view method, std::string_view path, std::string_view body = {}) {
    return send(method, path, body, {{"OSF-TOKEN", token}});
  }
  Answer send(std::string_view method, std::string_view path, std::string_view body, const Headers& headers,
              std::string_view content_type = "application/json", const std::string& address = "192.0.2.1") {
    net::Request request;
    request.method = method;
    const std::size_t question = path.find('?');
    request.path = path.substr(0, question);
    if (question != std::string_view::npos) request.query = path.substr(question + 1);
    request.body = body;
    if (!body.empty()) request.content_type = content_type;
    for (const auto& [name, value] : headers) request.headers.emplace_back(name, value);
    request.peer.address = address;
    net::Response response = run_task(face->handle(request));
    Answer answer;
    answer.status = response.status;
    answer.text = std::move(response.body);
    answer.headers = std::move(response.headers);
    boost::system::error_code failure;
    answer.body = boost::json::parse(answer.text, failure);
    return answer;
  }
  Answer form(std::string_view path, std::string_view body, const Headers& headers = {}) {
    return send("POST", path, body, headers, "application/x-www-form-urlencoded");
  }

  FleetRegistry fleet;
  FakeClock clock{from_unix_ms(kSampleEpochMs)};
  std::unique_ptr<core::Random> random = crypto::make_system_random();
  core::TokenCache cache{fleet.registry().tokens(), fleet.registry(), kFleetCodec, "factory-a"};
  faces::factory_api::StoredUsers users{fleet.registry().api_access(), "factory-a", "owner-1"};
  core::OauthDesk desk{"factory-a", fleet.registry().api_access(), kFleetCodec, clock, *random, {}};
  core::AttemptMeter failures;
  faces::factory_api::NotedTokens tokens{cache, users, fleet.registry().api_access()};
  faces::factory_api::GivenTokens given{desk, users};
  std::vector<faces::factory_api::Route> routes;  // of resources that the face has: only to be looked at
  std::unique_ptr<faces::factory_api::FactoryApiFace> face;
  std::string token;
};

}  // namespace birthmark::testing
