// SPDX-License-Identifier: Apache-2.0
// Configuration files for devices, kept in versions at three levels - factory, group, device - and merged for one device (protocol facts,
// gateway 3.2). Used by the gateway, which delivers, and by `birthmark config`, which changes.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/device_gate.h"
#include "core/ports/field_log.h"

namespace birthmark::core {

struct ConfigFile {
  std::string value;
  bool unencrypted = false;
  std::vector<std::string> on_changed;
  bool operator==(const ConfigFile&) const = default;
};
using ConfigFiles = std::map<std::string, ConfigFile>;  // by name

// One version of one level.
struct ConfigVersion {
  RowId row = 0;  // 0: there is none yet
  Instant at;
  std::string reason;
  std::string actor;
  ConfigFiles files;
};

// What a client sends: {"reason", "files": [{"name", "value", "unencrypted", "on-changed"}], "public-key"}.
struct ConfigPatch {
  std::string reason;
  ConfigFiles files;
  std::string public_key;
};
[[nodiscard]] Result<ConfigPatch> parse_config_patch(std::string_view json);

// Names become paths on the device, which does not look at them: relative, no "..", no empty part, printable.
[[nodiscard]] Status check_config_name(std::string_view name);

// The JSON map that the device stores: {"name": {"Value", "Unencrypted"?, "OnChanged"?}}.
[[nodiscard]] std::string render_device_config(const ConfigFiles& files);
// The more specific level replaces a file whole, but z-50-fioctl.toml, which is merged key by key. Least specific first.
[[nodiscard]] Result<ConfigFiles> merge_config(const std::vector<const ConfigFiles*>& levels);

struct MergedConfig {
  std::optional<Instant> at;  // of the newest change that concerns the device, in whole seconds; nothing: it has no configuration
  std::string json;
  std::string composition;  // which versions it was made of
};

// The owners of configuration.
[[nodiscard]] FieldKey factory_config(const std::string& factory);
[[nodiscard]] FieldKey group_config(const std::string& factory, const std::string& group);
[[nodiscard]] FieldKey device_config(const DeviceIdentity& identity);

// Safe from every thread.
class DeviceConfigs {
 public:
  explicit DeviceConfigs(FieldLog& field) : field_(field) {}

  [[nodiscard]] Result<ConfigVersion> current(const FieldKey& owner) const;
  [[nodiscard]] Result<std::vector<ConfigVersion>> history(const FieldKey& owner) const;  // newest first, at most kVersions
  // Writes the version that follows `earlier`; conflict when somebody was faster.
  [[nodiscard]] Task<Result<ConfigVersion>> replace(FieldKey owner, ConfigVersion earlier, ConfigFiles files, std::string reason,
                                                    std::string actor, Instant now);
  // `patch` over the files that are there, by name.
  [[nodiscard]] Task<Result<ConfigVersion>> patch(FieldKey owner, ConfigFiles patch, std::string reason, std::string actor, Instant now);

  // What the device gets, as a member of `group` (empty: none).
  [[nodiscard]] Result<MergedConfig> merged(const DeviceIdentity& identity, const std::string& group) const;
  // The same, dated for delivery: whatever changed at whatever level since the last delivery, the date is a later second than that one's.
  [[nodiscard]] Task<Result<MergedConfig>> deliver(DeviceIdentity identity, std::string group);

  static constexpr std::size_t kVersions = 10;

 private:
  FieldLog& field_;
};

}  // namespace birthmark::core
