// SPDX-License-Identifier: Apache-2.0
#include "core/identity.h"

#include <algorithm>

#include "base/text.h"

namespace birthmark::core {
namespace {

constexpr std::size_t kMaxIdBytes = 256;

bool is_alphanumeric(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool is_safe_id(std::string_view id) {
  const auto safe = [](char c) { return is_alphanumeric(c) || c == '-' || c == '_' || c == '.' || c == ':'; };
  return !id.empty() && is_alphanumeric(id.front()) && std::all_of(id.begin(), id.end(), safe);
}

// Protocol facts, Foundries 4.7: "12-34-56" is a device.
bool is_hex_id(std::string_view id) {
  constexpr std::size_t kMaxHexId = 64;
  const auto hex = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); };
  const auto allowed = [&](char c) { return c == '-' || hex(c); };
  return !id.empty() && id.size() <= kMaxHexId && hex(id.front()) && hex(id.back()) && std::all_of(id.begin(), id.end(), allowed);
}

}  // namespace

std::string_view to_string(Ecosystem ecosystem) {
  switch (ecosystem) {
    case Ecosystem::foundries: return "foundries";
    case Ecosystem::izuma: return "izuma";
    case Ecosystem::eve: return "eve";
  }
  return "unknown";
}

std::optional<Ecosystem> parse_ecosystem(std::string_view name) {
  for (const auto ecosystem : {Ecosystem::foundries, Ecosystem::izuma, Ecosystem::eve}) {
    if (to_string(ecosystem) == name) return ecosystem;
  }
  return std::nullopt;
}

std::optional<DeviceIdRule> parse_device_id_rule(std::string_view name) {
  if (name == "uuid") return DeviceIdRule::uuid;
  if (name == "hex") return DeviceIdRule::hex;
  if (name == "safe") return DeviceIdRule::safe;
  return std::nullopt;
}

Result<DeviceIdentity> identify(std::string factory, Ecosystem ecosystem, std::string_view external_id, DeviceIdRule rule) {
  if (external_id.empty()) return fail(ErrorCode::invalid, "the device id is empty");
  if (external_id.size() > kMaxIdBytes) return fail(ErrorCode::invalid, "the device id is longer than 256 bytes");
  if (const auto uuid = parse_uuid(external_id)) return DeviceIdentity{std::move(factory), ecosystem, format_uuid(*uuid)};
  if (rule == DeviceIdRule::uuid) {
    return fail(ErrorCode::invalid, "the device id must be a UUID like 8a5f0b6e-1c53-4a5e-9d5c-0d6f2c1b7a90");
  }
  if (rule == DeviceIdRule::hex) {
    if (is_hex_id(external_id)) return DeviceIdentity{std::move(factory), ecosystem, to_lower(external_id)};
    return fail(ErrorCode::invalid, "the device id must be hexadecimal digits with dashes between them, at most 64 characters");
  }
  if (rule == DeviceIdRule::line) {
    const bool control =
        std::any_of(external_id.begin(), external_id.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
    if (is_utf8(external_id) && !control) return DeviceIdentity{std::move(factory), ecosystem, std::string(external_id)};
    return fail(ErrorCode::invalid, "the device id must be UTF-8 without control characters");
  }
  if (!is_safe_id(external_id)) {
    return fail(ErrorCode::invalid, "the device id must begin with a letter or digit and hold only letters, digits and - _ . :");
  }
  return DeviceIdentity{std::move(factory), ecosystem, std::string(external_id)};
}

}  // namespace birthmark::core
