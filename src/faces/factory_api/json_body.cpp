// SPDX-License-Identifier: Apache-2.0
#include "faces/factory_api/json_body.h"

#include <boost/json.hpp>

#include "faces/factory_api/answers.h"

namespace birthmark::faces::factory_api {
namespace {

namespace json = boost::json;

}  // namespace

JsonBody::JsonBody(std::string_view text) : value_(json::object()) {
  if (text.empty()) return;
  boost::system::error_code failure;
  json::value parsed = json::parse(json::string_view(text.data(), text.size()), failure);
  if (failure) {
    problem_ = "The request body is not valid JSON: " + failure.message();
  } else if (!parsed.is_object()) {
    problem_ = "The request body must be a JSON object";
  } else {
    value_ = std::move(parsed);
  }
}

const json::object& JsonBody::members() const {
  return value_.get_object();
}

const json::value* JsonBody::find(std::string_view name) const {
  const json::value* member = members().if_contains(json::string_view(name.data(), name.size()));
  return member == nullptr || member->is_null() ? nullptr : member;
}

bool JsonBody::has(std::string_view name) const {
  return find(name) != nullptr;
}

std::optional<std::string> JsonBody::text(std::string_view name) {
  const json::value* member = find(name);
  if (member == nullptr) return std::nullopt;
  if (member->is_string()) return std::string(member->get_string());
  complain(name, "must be a string");
  return std::nullopt;
}

std::optional<bool> JsonBody::flag(std::string_view name) {
  const json::value* member = find(name);
  if (member == nullptr) return std::nullopt;
  if (member->is_bool()) return member->get_bool();
  if (member->is_string() && member->get_string() == "true") return true;
  if (member->is_string() && member->get_string() == "false") return false;
  complain(name, "must be true or false");
  return std::nullopt;
}

std::optional<net::Response> JsonBody::refusal() const {
  if (!problem_.empty()) return net::json_error(400, problem_);
  if (!mistakes_.empty()) return fields_error(400, "Invalid value for '" + mistakes_.front().first + "'", mistakes_);
  return std::nullopt;
}

}  // namespace birthmark::faces::factory_api
