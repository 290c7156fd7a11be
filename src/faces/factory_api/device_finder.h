// SPDX-License-Identifier: Apache-2.0
// Which device a path means: by name, or by id with ?by-uuid=1 (protocol facts, Foundries 2.1).
#pragma once

#include "core/ports/device_directory.h"
#include "core/ports/registry.h"
#include "faces/factory_api/resource.h"

namespace birthmark::faces::factory_api {

class DeviceFinder {
 public:
  // Both must outlive it.
  DeviceFinder(std::string factory, core::Registry& registry, core::DeviceDirectory& directory)
      : factory_(std::move(factory)), registry_(registry), directory_(directory) {}

  // An active device: not_found otherwise, conflict when the name is that of several. Of a path with {device}; ?factory= must be ours.
  [[nodiscard]] Result<core::DeviceRecord> find(const Call& call) const;
  // not_found when the query names another factory.
  [[nodiscard]] Status check_factory(const Call& call) const;
  // Whether an active device has that name.
  [[nodiscard]] Result<bool> name_is_taken(const std::string& name) const;
  [[nodiscard]] Result<core::DeviceRecord> by_id(const std::string& id) const;
  [[nodiscard]] const std::string& factory() const { return factory_; }

 private:
  [[nodiscard]] Result<core::DeviceRecord> by_name(const std::string& name) const;

  const std::string factory_;
  core::Registry& registry_;
  core::DeviceDirectory& directory_;
};

// Who acts, for the audit and as the author of a configuration: the user, then with which credential.
[[nodiscard]] std::string actor_of(const Caller& caller);

}  // namespace birthmark::faces::factory_api
