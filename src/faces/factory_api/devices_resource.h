// SPDX-License-Identifier: Apache-2.0
// /ota/devices/ and the deny list: devices listed, shown, renamed, given away, grouped, deleted, and let back in (protocol facts, Foundries
// 2.1). core::Lifecycle acts; this translates.
#pragma once

#include "core/lifecycle.h"
#include "core/ports/clock.h"
#include "faces/factory_api/device_finder.h"
#include "faces/factory_api/device_view.h"
#include "faces/factory_api/list_query.h"
#include "faces/factory_api/resource.h"

namespace birthmark::faces::factory_api {

class DevicesResource final : public Resource {
 public:
  struct Parts {
    std::string factory;
    core::Registry& registry;
    core::DeviceDirectory& directory;
    core::FieldLog& field;
    const core::X509Codec& codec;
    const core::Clock& clock;
    const UserDirectory& users;
    std::string default_owner;
  };
  explicit DevicesResource(Parts parts);

  [[nodiscard]] std::vector<Route> routes() override;

 private:
  [[nodiscard]] net::Response list(const Call& call);
  [[nodiscard]] net::Response list_by_id(const ListRequest& request);
  [[nodiscard]] net::Response list_by_state(ListRequest request);
  [[nodiscard]] net::Response show(const Call& call);
  [[nodiscard]] net::Response show_apps(const Call& call);
  [[nodiscard]] Task<net::Response> change(const Call& call);
  [[nodiscard]] Task<net::Response> remove(const Call& call);
  [[nodiscard]] net::Response list_denied(const Call& call);
  [[nodiscard]] Task<net::Response> forget_denied(const Call& call);

  [[nodiscard]] Status check_change(const std::optional<std::string>& name, const std::optional<std::string>& owner,
                                    const std::optional<std::string>& group, const core::DeviceRecord& device);
  [[nodiscard]] Task<Status> give(core::DeviceIdentity identity, std::string owner, core::OperatorAct act);

  const Parts parts_;
  const core::DeviceConfigs configs_;
  const DeviceFinder finder_;
  const DeviceSources sources_;
};

}  // namespace birthmark::faces::factory_api
