// SPDX-License-Identifier: Apache-2.0
#include "faces/sign_request.h"

#include <array>
#include <boost/json.hpp>

#include "base/text.h"

namespace birthmark::faces {
namespace {

namespace json = boost::json;

constexpr std::size_t kMaxNameBytes = 256;

// What Python calls falsy, and the reference therefore treats as missing.
bool is_missing(const json::value* value) {
  if (value == nullptr || value->is_null()) return true;
  if (value->is_string()) return value->get_string().empty();
  if (value->is_bool()) return !value->get_bool();
  if (value->is_array()) return value->get_array().empty();
  if (value->is_object()) return value->get_object().empty();
  return value->to_number<double>() == 0.0;
}

// A scalar as text; nothing for objects and arrays.
std::optional<std::string> scalar_text(const json::value& value) {
  if (value.is_string()) return std::string(value.get_string());
  if (value.is_bool() || value.is_number()) return json::serialize(value);
  return std::nullopt;
}

tl::unexpected<Error> invalid(std::string message) {
  return fail(ErrorCode::invalid, std::move(message));
}

// A member that may be left out; present, it must be a scalar.
Result<std::optional<std::string>> optional_text(const json::object& object, std::string_view member) {
  const json::value* value = object.if_contains(member);
  if (is_missing(value)) return std::optional<std::string>();
  auto text = scalar_text(*value);
  if (!text) return invalid("Invalid data type for '" + std::string(member) + "'");
  return text;
}

Result<TomlSectionOverride> parse_section(std::string_view name, const json::value& value) {
  TomlSectionOverride section{std::string(name), {}};
  BIRTHMARK_CHECK(check_sota_name(name));
  if (value.is_string() && value.get_string().empty()) return section;  // how Boost's property tree writes an empty object
  if (!value.is_object()) return invalid("Invalid data type for 'overrides." + section.section + "': it must be an object");
  for (const auto& [key, setting] : value.get_object()) {
    BIRTHMARK_CHECK(check_sota_name(key));
    if (setting.is_null()) {
      section.settings.push_back({std::string(key), std::nullopt});
      continue;
    }
    auto text = scalar_text(setting);
    if (!text) return invalid("Invalid data type for 'overrides." + section.section + "." + std::string(key) + "'");
    if (text->find('\0') != std::string::npos)
      return invalid("Invalid value for 'overrides." + section.section + "." + std::string(key) + "'");
    section.settings.push_back({std::string(key), std::move(*text)});
  }
  return section;
}

Result<std::vector<TomlSectionOverride>> parse_overrides(const json::object& object) {
  std::vector<TomlSectionOverride> overrides;
  const json::value* value = object.if_contains("overrides");
  if (is_missing(value)) return overrides;
  if (!value->is_object()) return invalid("Invalid data type for 'overrides': it must be an object of objects");
  for (const auto& [name, settings] : value->get_object()) {
    BIRTHMARK_TRY(auto section, parse_section(name, settings));
    overrides.push_back(std::move(section));
  }
  return overrides;
}

Result<std::string> required_csr(const json::object& object) {
  const json::value* csr = object.if_contains("csr");
  if (is_missing(csr)) return invalid("Missing required field 'csr'");
  if (!csr->is_string()) return invalid("Invalid data type for 'csr'");
  return std::string(csr->get_string());
}

Result<SignRequest> read_members(const json::object& object, GroupMember group) {
  SignRequest request;
  BIRTHMARK_TRY(request.csr, required_csr(object));
  BIRTHMARK_TRY(auto hardware_id, optional_text(object, "hardware-id"));
  if (!hardware_id) return invalid("Missing required field 'hardware-id'");
  request.hardware_id = std::move(*hardware_id);
  BIRTHMARK_CHECK(check_sota_value("hardware-id", request.hardware_id));
  BIRTHMARK_TRY(request.overrides, parse_overrides(object));
  BIRTHMARK_TRY(auto directory, optional_text(object, "sota-config-dir"));
  if (directory) request.sota_config_dir = std::move(*directory);
  BIRTHMARK_CHECK(check_sota_value("sota-config-dir", request.sota_config_dir));
  BIRTHMARK_TRY(auto name, optional_text(object, "name"));
  if (name) request.name = std::move(*name);
  if (request.name.size() > kMaxNameBytes) return invalid("Invalid value for 'name': it is longer than 256 bytes");
  BIRTHMARK_TRY(request.uuid, optional_text(object, "uuid"));
  if (group == GroupMember::taken) {
    BIRTHMARK_TRY(auto wanted, optional_text(object, "group"));
    if (wanted) request.group = std::move(*wanted);
    return request;
  }
  if (!is_missing(object.if_contains("group"))) return invalid("Registration-reference does not support 'group' field");
  return request;
}

}  // namespace

Result<SignRequest> parse_sign_request(std::string_view body, GroupMember group) {
  std::array<unsigned char, 8192> scratch;
  json::monotonic_resource memory(scratch.data(), scratch.size());
  boost::system::error_code failure;
  const json::value value = json::parse(json::string_view(body.data(), body.size()), failure, &memory);
  if (failure) return invalid("The request body is not valid JSON: " + failure.message());
  if (is_missing(&value)) return invalid("Missing request body");
  if (!value.is_object()) return invalid("The request body must be a JSON object");
  return read_members(value.get_object(), group);
}

bool is_json_content_type(std::string_view content_type) {
  std::string type = to_lower(content_type.substr(0, content_type.find(';')));
  while (!type.empty() && (type.back() == ' ' || type.back() == '\t')) type.pop_back();
  return type == "application/json" || (type.starts_with("application/") && type.ends_with("+json"));
}

}  // namespace birthmark::faces
