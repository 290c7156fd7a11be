// SPDX-License-Identifier: Apache-2.0
#include "faces/factory_api/device_view.h"

#include <algorithm>
#include <boost/json.hpp>
#include <charconv>

#include "base/pem.h"
#include "base/text.h"
#include "core/device_gate.h"

namespace birthmark::faces::factory_api {
namespace {

namespace json = boost::json;

constexpr int kMaxDepth = 24;

// The newest report of that kind; null when there is none.
json::value report(core::FieldLog& field, const core::DeviceIdentity& identity, const char* kind) {
  const auto newest = field.newest(core::device_field(identity, kind), 1);
  if (!newest || newest->empty()) return nullptr;
  boost::system::error_code error;
  json::parse_options options;
  options.max_depth = kMaxDepth;
  json::value parsed = json::parse(newest->front().body, error, {}, options);
  return error ? json::value() : parsed;
}

std::string text_of(core::FieldLog& field, const core::DeviceIdentity& identity, const char* kind) {
  const auto newest = field.newest(core::device_field(identity, kind), 1);
  return newest && !newest->empty() && is_utf8(newest->front().body) ? newest->front().body : std::string();
}

std::string member(const json::value& value, std::string_view name) {
  if (!value.is_object()) return {};
  const json::value* found = value.get_object().if_contains(json::string_view(name.data(), name.size()));
  return found != nullptr && found->is_string() ? std::string(found->get_string()) : std::string();
}

json::array split(const std::string& list) {
  json::array parts;
  for (std::size_t begin = 0; begin < list.size();) {
    const std::size_t comma = std::min(list.find(',', begin), list.size());
    if (comma > begin) parts.emplace_back(list.substr(begin, comma - begin));
    begin = comma + 1;
  }
  return parts;
}

// What both forms have. The state is what the device says of itself in passing (gateway 1.2).
void add_state(json::object& object, const json::value& state) {
  const std::string tag = member(state, "tag");
  object["tag"] = tag;
  object["device-tags"] = split(tag);
  object["docker-apps"] = split(member(state, "apps"));
  object["ostree-hash"] = member(state, "ostree_hash");
  object["target-name"] = member(state, "target");
  object["status"] = "OK";
  object["current-update"] = "";
  object["is-wave"] = false;
}

json::object common_view(const core::DeviceIdentity& identity, const std::string& name, const std::string& owner, bool production,
                         Instant created_at, const std::optional<Instant>& last_seen) {
  json::object object;
  object["uuid"] = identity.external_id;
  object["name"] = name.empty() ? identity.external_id : name;
  object["owner"] = owner;
  object["factory"] = identity.factory;
  object["created-at"] = format_rfc3339(created_at);
  object["last-seen"] = last_seen ? format_rfc3339(*last_seen) : "";
  object["is-prod"] = production;
  object["change-meta"] =
      json::object{{"created-by", owner}, {"created-at", format_rfc3339(created_at)}, {"updated-by", ""}, {"updated-at", ""}};
  return object;
}

// Who wrote it: an operator's entry begins with his user id.
std::string author_of(const std::string& actor) {
  return actor.substr(0, actor.find(' '));
}

}  // namespace

json::object list_view(const DeviceSources& sources, const core::DirectoryEntry& entry) {
  const core::DeviceSummary& device = entry.device;
  const std::string& owner = entry.owner.empty() ? sources.default_owner : entry.owner;
  json::object object = common_view(device.identity, device.name, owner, device.production, device.created_at, device.last_seen);
  object["device-group"] = device.group;
  object["hardware-id"] = device.hardware_id;
  add_state(object, report(sources.field, device.identity, "state"));
  return object;
}

json::object group_view(const core::DeviceGroup& group) {
  const bool described = group.row != 0;
  return {{"id", group.row},
          {"name", group.name},
          {"description", group.description},
          {"change-meta", json::object{{"created-by", group.created_by},
                                       {"created-at", described ? format_rfc3339(group.created_at) : ""},
                                       {"updated-by", group.updated_by},
                                       {"updated-at", described ? format_rfc3339(group.updated_at) : ""}}}};
}

json::object config_view(const core::ConfigVersion& version, const Applied& applied) {
  json::array files;
  for (const auto& [name, file] : version.files) {
    json::object shown{{"name", name}, {"value", file.value}, {"unencrypted", file.unencrypted}};
    if (!file.on_changed.empty()) shown["on-changed"] = json::array(file.on_changed.begin(), file.on_changed.end());
    files.push_back(std::move(shown));
  }
  return {{"created-at", format_rfc3339(version.at)},
          {"applied-at", applied.version == version.row ? format_rfc3339(applied.at) : ""},
          {"created-by", author_of(version.actor)},
          {"reason", version.reason},
          {"files", std::move(files)}};
}

// The last number of the composition that was delivered is the device's own version.
Applied applied_config(core::FieldLog& field, const core::DeviceIdentity& identity) {
  const auto delivered = field.newest(core::device_field(identity, "delivered-config"), 1);
  if (!delivered || delivered->empty()) return {};
  std::string_view composition = delivered->front().body;
  while (composition.ends_with(' ')) composition.remove_suffix(1);
  composition.remove_prefix(composition.rfind(' ') + 1);
  Applied applied;
  std::from_chars(composition.data(), composition.data() + composition.size(), applied.version);
  applied.at = delivered->front().at;
  return applied;
}

Result<json::object> full_view(const DeviceSources& sources, const core::DeviceRecord& device) {
  BIRTHMARK_TRY(std::string owner, sources.directory.owner_of(device.row));
  if (owner.empty()) owner = sources.default_owner;
  json::object object = common_view(device.identity, device.name, owner, device.production, device.created_at, device.last_seen);
  object["device-group"] = device.group;
  object["hardware-id"] = device.hardware_id;
  add_state(object, report(sources.field, device.identity, "state"));
  object["group"] = nullptr;
  if (!device.group.empty()) {
    BIRTHMARK_TRY(const auto group, sources.directory.group(device.identity.factory, device.group));
    core::DeviceGroup nameless;
    nameless.name = device.group;
    object["group"] = group_view(group.value_or(nameless));
  }
  if (device.certificate) {
    BIRTHMARK_TRY(const auto facts, sources.codec.read_certificate(device.certificate->der));
    object["public-key"] = encode_pem("PUBLIC KEY", facts.spki_der);
  }
  if (json::value network = report(sources.field, device.identity, "network"); network.is_object())
    object["network-info"] = std::move(network);
  if (json::value hardware = report(sources.field, device.identity, "system-info"); !hardware.is_null())
    object["hardware-info"] = std::move(hardware);
  if (json::value apps = report(sources.field, device.identity, "apps-states"); apps.is_object()) object["apps-state"] = std::move(apps);
  if (std::string toml = text_of(sources.field, device.identity, "running-config"); !toml.empty())
    object["aktualizr-toml"] = std::move(toml);
  BIRTHMARK_TRY(const auto config, sources.configs.current(core::device_config(device.identity)));
  if (config.row != 0) object["active-config"] = config_view(config, applied_config(sources.field, device.identity));
  return object;
}

}  // namespace birthmark::faces::factory_api
