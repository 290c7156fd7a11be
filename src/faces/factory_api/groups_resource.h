// SPDX-License-Identifier: Apache-2.0
// /ota/factories/{factory}/device-groups/: made, described, renamed, removed (protocol facts, Foundries 2.1).
#pragma once

#include "core/ports/clock.h"
#include "core/ports/device_directory.h"
#include "faces/factory_api/resource.h"

namespace birthmark::faces::factory_api {

class GroupsResource final : public Resource {
 public:
  struct Parts {
    std::string factory;
    core::DeviceDirectory& directory;
    const core::Clock& clock;
  };
  explicit GroupsResource(Parts parts) : parts_(std::move(parts)) {}

  [[nodiscard]] std::vector<Route> routes() override;

 private:
  [[nodiscard]] net::Response list();
  [[nodiscard]] Task<net::Response> add(const Call& call);
  [[nodiscard]] Task<net::Response> change(const Call& call);
  [[nodiscard]] Task<net::Response> remove(const Call& call);
  [[nodiscard]] std::string audit(const Call& call, const std::string& group, const std::string& what) const;

  const Parts parts_;
};

}  // namespace birthmark::faces::factory_api
