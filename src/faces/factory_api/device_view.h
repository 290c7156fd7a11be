// SPDX-License-Identifier: Apache-2.0
// Devices as JSON, in the members that fioctl reads (protocol facts, Foundries 2.1): short in lists, whole for one.
#pragma once

#include <boost/json/object.hpp>
#include <string>

#include "core/device_config.h"
#include "core/ports/device_directory.h"
#include "core/ports/field_log.h"
#include "core/ports/registry.h"
#include "core/ports/x509_codec.h"

namespace birthmark::faces::factory_api {

// Where what devices reported is looked up.
struct DeviceSources {
  core::FieldLog& field;
  const core::DeviceConfigs& configs;
  const core::X509Codec& codec;
  core::DeviceDirectory& directory;
  std::string default_owner;  // of devices that nobody owns
};

[[nodiscard]] boost::json::object list_view(const DeviceSources& sources, const core::DirectoryEntry& entry);
[[nodiscard]] Result<boost::json::object> full_view(const DeviceSources& sources, const core::DeviceRecord& device);
[[nodiscard]] boost::json::object group_view(const core::DeviceGroup& group);

// Versions of a configuration, newest first: {"config": [...], "total", "next"}. `applied`: the version that the device got last, and when.
struct Applied {
  core::RowId version = 0;
  Instant at;
};
[[nodiscard]] boost::json::object config_view(const core::ConfigVersion& version, const Applied& applied);
[[nodiscard]] Applied applied_config(core::FieldLog& field, const core::DeviceIdentity& identity);

}  // namespace birthmark::faces::factory_api
