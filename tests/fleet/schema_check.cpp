// SPDX-License-Identifier: Apache-2.0
#include "schema_check.h"

#include <algorithm>

namespace birthmark::testing {

namespace json = boost::json;

namespace {

bool is_type(const json::value& value, std::string_view type) {
  if (type == "object") return value.is_object();
  if (type == "array") return value.is_array();
  if (type == "string") return value.is_string();
  if (type == "boolean") return value.is_bool();
  if (type == "integer") return value.is_int64() || value.is_uint64();
  if (type == "null") return value.is_null();
  return false;
}

std::string wrong_type(const json::object& schema, const json::value& value, const std::string& where) {
  const json::value* type = schema.if_contains("type");
  if (type == nullptr) return {};
  bool fits = false;
  if (type->is_string()) fits = is_type(value, std::string_view(type->get_string()));
  if (type->is_array())
    for (const json::value& one : type->get_array()) fits = fits || is_type(value, std::string_view(one.as_string()));
  return fits ? std::string() : where + " is no " + json::serialize(*type) + ": " + json::serialize(value).substr(0, 60);
}

std::string wrong_members(const json::value& document, const json::object& schema, const json::object& object, const std::string& where) {
  if (const json::value* required = schema.if_contains("required"))
    for (const json::value& name : required->as_array())
      if (!object.contains(name.as_string())) return where + " lacks " + std::string(name.as_string());
  const json::value* properties = schema.if_contains("properties");
  const json::value* others = schema.if_contains("additionalProperties");
  for (const auto& [name, member] : object) {
    const std::string at = where + "." + std::string(name);
    const json::value* known = properties == nullptr ? nullptr : properties->as_object().if_contains(name);
    const json::value* wanted = known != nullptr ? known : others;
    if (wanted == nullptr && properties != nullptr && !properties->as_object().empty()) return at + " is not in the document";
    if (wanted == nullptr) continue;
    if (std::string wrong = why_not(document, *wanted, member, at); !wrong.empty()) return wrong;
  }
  return {};
}

}  // namespace

const json::value& resolved(const json::value& document, const json::value& at) {
  const json::value* reference = at.is_object() ? at.get_object().if_contains("$ref") : nullptr;
  if (reference == nullptr) return at;
  return resolved(document, document.at_pointer(std::string(reference->as_string()).substr(1)));
}

std::string why_not(const json::value& document, const json::value& named, const json::value& value, const std::string& where) {
  const json::object& schema = resolved(document, named).as_object();
  if (const json::value* choices = schema.if_contains("oneOf")) {
    const auto& all = choices->as_array();
    const bool fits =
        std::any_of(all.begin(), all.end(), [&](const json::value& one) { return why_not(document, one, value, where).empty(); });
    return fits ? std::string() : where + " fits none of its choices";
  }
  if (std::string wrong = wrong_type(schema, value, where); !wrong.empty()) return wrong;
  if (const json::value* allowed = schema.if_contains("enum")) {
    const auto& all = allowed->as_array();
    if (std::find(all.begin(), all.end(), value) == all.end()) return where + " is none of " + json::serialize(*allowed);
  }
  if (value.is_object()) return wrong_members(document, schema, value.get_object(), where);
  const json::value* items = schema.if_contains("items");
  if (!value.is_array() || items == nullptr) return {};
  for (const json::value& one : value.get_array())
    if (std::string wrong = why_not(document, *items, one, where + "[]"); !wrong.empty()) return wrong;
  return {};
}

}  // namespace birthmark::testing
