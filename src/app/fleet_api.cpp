// SPDX-License-Identifier: Apache-2.0
#include "app/fleet_api.h"

#include "faces/factory_api/approval_resource.h"
#include "faces/factory_api/config_resource.h"
#include "faces/factory_api/devices_resource.h"
#include "faces/factory_api/groups_resource.h"
#include "faces/factory_api/oauth_resource.h"
#include "faces/factory_api/users_resource.h"

namespace birthmark::app {

namespace api = faces::factory_api;

namespace {

core::OauthRules oauth_rules(const ApiConfig& config) {
  core::OauthRules rules;
  rules.code_lifetime = config.code_lifetime;
  rules.poll_interval = config.poll_interval;
  return rules;
}

}  // namespace

FleetApi::FleetApi(Site& site)
    : site_(site),
      users_(site.api_access(), site.factory(), site.default_owner()),
      desk_(site.factory(), site.api_access(), site.codec(), site.clock(), site.random(), oauth_rules(site.config().api)),
      tokens_(site.credentials(), users_, site.api_access()),
      given_(desk_, users_) {}

void FleetApi::append_authenticators(std::vector<std::unique_ptr<api::Authenticator>>& all) {
  all.push_back(std::make_unique<api::NotedTokens>(site_.credentials(), users_, site_.api_access()));
  all.push_back(std::make_unique<api::GivenTokens>(desk_, users_));
}

void FleetApi::append_resources(std::vector<std::unique_ptr<api::Resource>>& all) {
  const ApiConfig& config = site_.config().api;
  const std::string& factory = site_.factory();
  core::DeviceDirectory& directory = site_.device_directory();
  all.push_back(std::make_unique<api::DevicesResource>(api::DevicesResource::Parts{
      factory, site_.registry(), directory, site_.field(), site_.codec(), site_.clock(), users_, users_.default_owner()}));
  all.push_back(std::make_unique<api::ConfigResource>(
      api::ConfigResource::Parts{factory, site_.registry(), directory, site_.field(), site_.clock()}));
  all.push_back(std::make_unique<api::GroupsResource>(api::GroupsResource::Parts{factory, directory, site_.clock()}));
  all.push_back(std::make_unique<api::UsersResource>(factory, users_));
  all.push_back(std::make_unique<api::OauthResource>(
      api::OauthResource::Parts{factory, desk_, failures_, site_.clock(), config.proxies, config.public_url}));
  all.push_back(std::make_unique<api::ApprovalResource>(
      api::ApprovalResource::Parts{factory, desk_, failures_, site_.codec(), site_.clock(), {&tokens_, &given_}, config.proxies}));
}

api::FailureCounter FleetApi::failure_counter() {
  return [this](const net::Request& request) {
    return failures_.count(api::client_address(request, site_.config().api.proxies), site_.clock().uptime());
  };
}

}  // namespace birthmark::app
