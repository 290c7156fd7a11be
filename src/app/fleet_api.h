// SPDX-License-Identifier: Apache-2.0
// What the factory API has around devices and callers, for the face of one listener: users, approvals, devices, groups, configuration.
#pragma once

#include <memory>
#include <vector>

#include "app/site.h"
#include "core/attempt_meter.h"
#include "core/oauth_desk.h"
#include "faces/factory_api/factory_api_face.h"
#include "faces/factory_api/users.h"

namespace birthmark::app {

class FleetApi {
 public:
  // `site` must outlive it, it the face.
  explicit FleetApi(Site& site);

  [[nodiscard]] const faces::factory_api::StoredUsers& users() const { return users_; }
  void append_authenticators(std::vector<std::unique_ptr<faces::factory_api::Authenticator>>& all);
  void append_resources(std::vector<std::unique_ptr<faces::factory_api::Resource>>& all);
  // For the face: counts a wrong credential, and says how long its sender should wait.
  [[nodiscard]] faces::factory_api::FailureCounter failure_counter();

 private:
  Site& site_;
  faces::factory_api::StoredUsers users_;
  core::OauthDesk desk_;
  core::AttemptMeter failures_;
  // For logins to the approval page.
  faces::factory_api::NotedTokens tokens_;
  faces::factory_api::GivenTokens given_;
};

}  // namespace birthmark::app
