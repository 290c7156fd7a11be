// SPDX-License-Identifier: Apache-2.0
// Configuration of one device, of a group and of the factory, as fioctl reads and writes it (protocol facts, Foundries 2.1, gateway 3.2 and
// 3.7): stored where the gateway delivers it from, encrypted values opaque.
#pragma once

#include "core/device_config.h"
#include "core/ports/clock.h"
#include "faces/factory_api/device_finder.h"
#include "faces/factory_api/resource.h"

namespace birthmark::faces::factory_api {

class ConfigResource final : public Resource {
 public:
  struct Parts {
    std::string factory;
    core::Registry& registry;
    core::DeviceDirectory& directory;
    core::FieldLog& field;
    const core::Clock& clock;
  };
  explicit ConfigResource(Parts parts);

  [[nodiscard]] std::vector<Route> routes() override;

 private:
  enum class Level : std::uint8_t { factory, group, device };
  enum class Way : std::uint8_t { replace, merge };
  struct Owner {
    core::FieldKey key;
    std::optional<core::DeviceIdentity> device;
  };

  void add_routes(std::vector<Route>& routes, const std::string& path, Level level);
  [[nodiscard]] Result<Owner> owner_of(const Call& call, Level level) const;
  [[nodiscard]] net::Response list(const Call& call, Level level);
  [[nodiscard]] Task<net::Response> write(const Call& call, Level level, Way way);
  [[nodiscard]] Task<net::Response> remove_file(const Call& call, Level level);

  const Parts parts_;
  core::DeviceConfigs configs_;
  const DeviceFinder finder_;
};

}  // namespace birthmark::faces::factory_api
