// SPDX-License-Identifier: Apache-2.0
#include "app/pep_export.h"

#include <array>
#include <boost/json.hpp>
#include <ostream>

#include "base/text.h"
#include "faces/izuma/pep_face.h"

namespace birthmark::app {
namespace {

constexpr std::array<const char*, 10> kColumns{
    "enrollmentID", "serialNumber", "gatewayServicesAddress", "apiAddress", "hardwareVersion", "radioConfig", "ledConfig", "category",
    "deployed",     "createdAt"};

std::string quoted(std::string_view text) {
  std::string field = "\"";
  for (const char c : text) {
    if (c == '"') field += '"';
    field += c;
  }
  return field + '"';
}

std::string heading() {
  std::string line;
  for (const char* column : kColumns) line += (line.empty() ? "" : ",") + quoted(column);
  return line + "\n";
}

// Strings in quotes, the rest bare, nothing for what is absent.
std::string row_of(const core::GatewayRecord& gateway) {
  boost::system::error_code error;
  const boost::json::value document = boost::json::parse(faces::izuma::identity_document(gateway), error);
  std::string line;
  for (const char* column : kColumns) {
    if (column != kColumns.front()) line += ',';
    const auto* object = document.if_object();
    const auto* value = object != nullptr ? object->if_contains(column) : nullptr;
    if (value == nullptr || value->is_null()) continue;
    line += value->is_string() ? quoted(std::string_view(value->get_string())) : boost::json::serialize(*value);
  }
  return line + "\n";
}

}  // namespace

void PortalCsv::add(const core::GatewayRecord& gateway) {
  const std::string row = row_of(gateway);
  if (at_ == 0 || used_ + row.size() > part_bytes_) {
    const std::string first = heading();
    ++at_;
    used_ = first.size();
    if (at_ == part_) out_ << first;
  }
  used_ += row.size();
  if (at_ == part_) out_ << row;
}

std::string gateway_json(const core::GatewayRecord& gateway) {
  std::string json = faces::izuma::identity_document(gateway);
  json.pop_back();
  json += ",\"station\":" + json_string(gateway.station) + ",\"tenant\":" + json_string(gateway.tenant) +
          ",\"notes\":" + json_string(gateway.notes) + "}";
  return json;
}

}  // namespace birthmark::app
