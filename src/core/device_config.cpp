// SPDX-License-Identifier: Apache-2.0
#include "core/device_config.h"

#include <algorithm>
#include <boost/json.hpp>

#include "base/text.h"
#include "base/toml_merge.h"

namespace birthmark::core {
namespace {

namespace json = boost::json;

constexpr std::string_view kMergedToml = "z-50-fioctl.toml";
constexpr std::size_t kMaxNameBytes = 255;
constexpr std::size_t kMaxConfigBytes = 1U << 20U;  // protocol facts, gateway 3.2
constexpr const char* kConfigKind = "config";
constexpr const char* kDeliveredKind = "delivered-config";

std::string text_or_empty(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

tl::unexpected<Error> bad(std::string text) {
  return fail(ErrorCode::invalid, std::move(text));
}

Result<std::vector<std::string>> read_commands(const json::value& value) {
  std::vector<std::string> commands;
  if (value.is_null()) return commands;
  if (!value.is_array()) return bad("on-changed must be a list of strings");
  for (const json::value& part : value.get_array()) {
    if (!part.is_string()) return bad("on-changed must be a list of strings");
    commands.emplace_back(part.get_string());
  }
  return commands;
}

Status read_file(const json::value& value, ConfigFiles& files) {
  if (!value.is_object()) return bad("every member of files must be an object");
  const json::object& object = value.get_object();
  const std::string name = text_or_empty(object, "name");
  BIRTHMARK_CHECK(check_config_name(name));
  ConfigFile file;
  const json::value* content = object.if_contains("value");
  if (content == nullptr || !content->is_string()) return bad("the file " + name + " has no value");
  file.value = content->get_string();
  if (const json::value* clear = object.if_contains("unencrypted"); clear != nullptr && !clear->is_null()) {
    if (!clear->is_bool()) return bad("unencrypted of the file " + name + " must be true or false");
    file.unencrypted = clear->get_bool();
  }
  if (const json::value* commands = object.if_contains("on-changed")) {
    BIRTHMARK_TRY(file.on_changed, read_commands(*commands));
  }
  if (!files.emplace(name, std::move(file)).second) return bad("the file " + name + " is there twice");
  return {};
}

json::object write_file(const std::string& name, const ConfigFile& file) {
  json::object object{{"name", name}, {"value", file.value}, {"unencrypted", file.unencrypted}};
  if (!file.on_changed.empty()) object["on-changed"] = json::array(file.on_changed.begin(), file.on_changed.end());
  return object;
}

std::string write_version(const ConfigFiles& files, const std::string& reason, const std::string& actor) {
  json::array list;
  for (const auto& [name, file] : files) list.push_back(write_file(name, file));
  return json::serialize(json::object{{"reason", reason}, {"actor", actor}, {"files", std::move(list)}});
}

Result<ConfigVersion> read_version(const FieldEntry& entry) {
  ConfigVersion version;
  BIRTHMARK_TRY(auto patch, parse_config_patch(entry.body));
  boost::system::error_code error;
  const json::value body = json::parse(entry.body, error);
  if (!error && body.is_object()) version.actor = text_or_empty(body.get_object(), "actor");
  version.row = entry.row;
  version.at = entry.at;
  version.reason = std::move(patch.reason);
  version.files = std::move(patch.files);
  return version;
}

// Names and digests, never values: the audit outlives every secret.
std::string audit_text(const FieldKey& owner, const ConfigFiles& files, const std::string& reason, const std::string& actor, Instant now) {
  std::string names;
  for (const auto& [name, file] : files) names += (names.empty() ? "" : " ") + name;
  return audit_body(
      AuditEvent::config_changed, now,
      {{"factory", owner.factory}, {"what", "config"}, {"owner", owner.owner}, {"files", names}, {"reason", reason}, {"actor", actor}});
}

Result<std::string> merged_toml(const std::vector<const ConfigFile*>& files) {
  std::vector<std::string_view> texts;
  for (const ConfigFile* file : files) texts.emplace_back(file->value);
  return merge_toml(texts);
}

}  // namespace

Status check_config_name(std::string_view name) {
  const auto bad_part = [](std::string_view part) { return part.empty() || part == "." || part == ".."; };
  const bool printable = std::all_of(name.begin(), name.end(), [](char c) { return c > ' ' && c < '\x7f' && c != '\\'; });
  if (name.empty() || name.size() > kMaxNameBytes || !printable)
    return bad("a configuration file's name has 1 to 255 printable characters without spaces");
  for (std::size_t begin = 0;;) {
    const std::size_t slash = name.find('/', begin);
    if (bad_part(name.substr(begin, slash - begin)))
      return bad("'" + std::string(name) + "' is not a relative path of plain names: a device would write it elsewhere");
    if (slash == std::string_view::npos) return {};
    begin = slash + 1;
  }
}

Result<ConfigPatch> parse_config_patch(std::string_view text) {
  if (text.size() > kMaxConfigBytes + (kMaxConfigBytes / 2)) return fail(ErrorCode::too_large, "a configuration has at most 1 MiB");
  boost::system::error_code error;
  json::parse_options options;
  options.max_depth = 8;
  const json::value body = json::parse({text.data(), text.size()}, error, {}, options);
  if (error || !body.is_object()) return bad("the body must be a JSON object");
  const json::object& object = body.get_object();
  ConfigPatch patch;
  patch.reason = text_or_empty(object, "reason");
  patch.public_key = text_or_empty(object, "public-key");
  const json::value* files = object.if_contains("files");
  if (files == nullptr || !files->is_array()) return bad("files must be a list");
  for (const json::value& file : files->get_array()) BIRTHMARK_CHECK(read_file(file, patch.files));
  return patch;
}

std::string render_device_config(const ConfigFiles& files) {
  std::string out = "{";
  for (const auto& [name, file] : files) {
    out.append(out.size() == 1 ? "" : ",").append(json_string(name)).append(":{\"Value\":").append(json_string(file.value));
    if (file.unencrypted) out += ",\"Unencrypted\":true";
    for (std::size_t i = 0; i < file.on_changed.size(); ++i) {
      out.append(i == 0 ? ",\"OnChanged\":[" : ",").append(json_string(file.on_changed[i]));
    }
    out.append(file.on_changed.empty() ? "}" : "]}");
  }
  return out + "}";
}

Result<ConfigFiles> merge_config(const std::vector<const ConfigFiles*>& levels) {
  ConfigFiles merged;
  std::vector<const ConfigFile*> tomls;
  for (const ConfigFiles* level : levels) {
    for (const auto& [name, file] : *level) merged.insert_or_assign(name, file);
    if (const auto found = level->find(std::string(kMergedToml)); found != level->end()) tomls.push_back(&found->second);
  }
  if (tomls.size() > 1) {
    BIRTHMARK_TRY(merged[std::string(kMergedToml)].value, merged_toml(tomls));
  }
  return merged;
}

FieldKey factory_config(const std::string& factory) {
  return {factory, "factory", kConfigKind};
}
FieldKey group_config(const std::string& factory, const std::string& group) {
  return {factory, "group:" + group, kConfigKind};
}
FieldKey device_config(const DeviceIdentity& identity) {
  return device_field(identity, kConfigKind);
}

Result<ConfigVersion> DeviceConfigs::current(const FieldKey& owner) const {
  BIRTHMARK_TRY(const auto newest, field_.newest(owner, 1));
  if (newest.empty()) return ConfigVersion{};
  return read_version(newest.front());
}

Result<std::vector<ConfigVersion>> DeviceConfigs::history(const FieldKey& owner) const {
  BIRTHMARK_TRY(const auto entries, field_.newest(owner, kVersions));
  std::vector<ConfigVersion> versions;
  for (const FieldEntry& entry : entries) {
    BIRTHMARK_TRY(auto version, read_version(entry));
    versions.push_back(std::move(version));
  }
  return versions;
}

Task<Result<ConfigVersion>> DeviceConfigs::replace(FieldKey owner, ConfigVersion earlier, ConfigFiles files, std::string reason,
                                                   std::string actor, Instant now) {
  FieldAppend append;
  append.bodies = {write_version(files, reason, actor)};
  if (append.bodies.front().size() > kMaxConfigBytes) co_return fail(ErrorCode::too_large, "a configuration has at most 1 MiB");
  append.audit_body = audit_text(owner, files, reason, actor, now);
  append.key = std::move(owner);
  append.at = now;
  append.keep = kVersions;
  append.strictly_later = true;
  append.expected_newest = earlier.row;
  auto written = co_await field_.append(std::move(append));
  if (!written) co_return forward_error(written);
  co_return ConfigVersion{written->row, written->at, std::move(reason), std::move(actor), std::move(files)};
}

Task<Result<ConfigVersion>> DeviceConfigs::patch(FieldKey owner, ConfigFiles patch, std::string reason, std::string actor, Instant now) {
  constexpr int kTries = 8;
  Result<ConfigVersion> written = fail(ErrorCode::conflict, "the configuration keeps changing; try again");
  for (int tries = 0; tries < kTries; ++tries) {
    auto earlier = current(owner);
    if (!earlier) co_return forward_error(earlier);
    ConfigFiles files = earlier->files;
    for (const auto& [name, file] : patch) files.insert_or_assign(name, file);
    const ConfigVersion& before = *earlier;
    auto next = co_await replace(owner, before, files, reason, actor, now);
    written = std::move(next);
    if (written || written.error().code != ErrorCode::conflict) break;
  }
  co_return std::move(written);
}

Result<MergedConfig> DeviceConfigs::merged(const DeviceIdentity& identity, const std::string& group) const {
  MergedConfig merged;
  std::vector<FieldKey> owners{factory_config(identity.factory)};
  if (!group.empty()) owners.push_back(group_config(identity.factory, group));
  owners.push_back(device_config(identity));
  std::vector<ConfigVersion> versions;
  for (const FieldKey& owner : owners) {
    BIRTHMARK_TRY(auto version, current(owner));
    if (version.row != 0) merged.at = std::max(merged.at.value_or(Instant{}), version.at);
    merged.composition += std::to_string(version.row) + " ";
    versions.push_back(std::move(version));
  }
  if (!merged.at) return merged;
  std::vector<const ConfigFiles*> levels;
  for (const ConfigVersion& version : versions) levels.push_back(&version.files);
  merged.at = std::chrono::floor<std::chrono::seconds>(*merged.at);
  BIRTHMARK_TRY(const auto files, merge_config(levels));
  merged.json = render_device_config(files);
  return merged;
}

// A client knows what it has by a date in seconds alone (protocol facts, gateway 3.1); changes of three levels, and of the group, cannot
// all have dates that suit every device. So each device has dates of its own: a new composition is dated after the one before.
Task<Result<MergedConfig>> DeviceConfigs::deliver(DeviceIdentity identity, std::string group) {
  constexpr int kTries = 8;
  const FieldKey key = device_field(identity, kDeliveredKind);
  for (int tries = 0; tries < kTries; ++tries) {
    auto config = merged(identity, group);
    if (!config) co_return forward_error(config);
    const auto delivered = field_.newest(key, 1);
    if (!delivered) co_return tl::make_unexpected(delivered.error());
    if (delivered->empty() && !config->at) co_return std::move(config);
    if (!config->at) {  // it left a group that had all of its configuration
      config->at = std::chrono::floor<std::chrono::seconds>(delivered->front().at);
      config->json = "{}";
    }
    if (!delivered->empty() && delivered->front().body == config->composition) {
      config->at = std::chrono::floor<std::chrono::seconds>(delivered->front().at);
      co_return std::move(config);
    }
    FieldAppend append;
    append.key = key;
    append.bodies = {config->composition};
    append.at = *config->at;
    append.strictly_later = true;
    append.expected_newest = delivered->empty() ? 0 : delivered->front().row;
    auto written = co_await field_.append(std::move(append));
    if (!written && written.error().code == ErrorCode::conflict) continue;
    if (!written) co_return forward_error(written);
    config->at = std::chrono::floor<std::chrono::seconds>(written->at);
    co_return std::move(config);
  }
  co_return fail(ErrorCode::unavailable, "the configuration keeps changing; try again");
}

}  // namespace birthmark::core
