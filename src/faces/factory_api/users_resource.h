// SPDX-License-Identifier: Apache-2.0
// The factory and its users, as far as fioctl shows them (protocol facts, Foundries 2.1).
#pragma once

#include "faces/factory_api/resource.h"
#include "faces/factory_api/users.h"

namespace birthmark::faces::factory_api {

class UsersResource final : public Resource {
 public:
  // `users` must outlive it.
  UsersResource(std::string factory, const StoredUsers& users) : factory_(std::move(factory)), users_(users) {}

  [[nodiscard]] std::vector<Route> routes() override;

 private:
  [[nodiscard]] net::Response list();
  [[nodiscard]] net::Response show(const Call& call);

  const std::string factory_;
  const StoredUsers& users_;
};

}  // namespace birthmark::faces::factory_api
