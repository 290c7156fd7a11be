// SPDX-License-Identifier: Apache-2.0
#include "faces/izuma/pep_query.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/text.h"
#include "core/network.h"
#include "faces/izuma/factory_settings.h"

namespace birthmark::faces::izuma {
namespace {

constexpr std::size_t kMostParameters = 64;
constexpr std::size_t kLongestField = 256;
constexpr std::string_view kNoVerificationKey = "verification-key-does-not-exist";  // what the original client sends without -k
constexpr std::string_view kUndefined = "undefined";

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::string decode(std::string_view text) {
  std::string decoded;
  decoded.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const int high = text[i] == '%' && i + 2 < text.size() ? hex_value(text[i + 1]) : -1;
    const int low = high >= 0 ? hex_value(text[i + 2]) : -1;
    if (low >= 0) {
      decoded += static_cast<char>(high * 16 + low);
      i += 2;
    } else {
      decoded += text[i] == '+' ? ' ' : text[i];
    }
  }
  return decoded;
}

bool is_clean(std::string_view text) {
  return is_utf8(text) && std::none_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

// What the answer repeats, with what the interface declares for those that are left out.
struct Field {
  std::string_view name;
  std::string_view otherwise;  // empty: left out
  bool numbers = false;        // a list of numbers
};
constexpr std::array<Field, 11> kFields{{{"hardwareVersion", "izuma-edge-gateway"},
                                         {"radioConfig", "00"},
                                         {"ledConfig", "01"},
                                         {"category", "production"},
                                         {"serialNumber", ""},
                                         {"apiAddress", "https://api.us-east-1.mbedcloud.com"},
                                         {"gatewayServicesAddress", "https://gateways.us-east-1.mbedcloud.com"},
                                         {"OU", ""},
                                         {"deviceID", ""},
                                         {"ethernetMAC", "", true},
                                         {"sixBMAC", "", true}}};

const Field* field_named(std::string_view name) {
  const auto found = std::find_if(kFields.begin(), kFields.end(), [&](const Field& field) { return field.name == name; });
  return found == kFields.end() ? nullptr : &*found;
}

std::optional<std::uint64_t> number_of(std::string_view text) {
  std::uint64_t number = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || read.ec != std::errc{} || read.ptr != text.data() + text.size()) return std::nullopt;
  return number;
}

void append_member(std::string& json, std::string_view name, std::string_view value) {
  if (!json.empty()) json += ',';
  json.append(json_string(name)).append(":").append(value);
}

// Every value of that name, or one with commas, as a list of octets.
Result<std::string> list_of(const Query& query, std::string_view name) {
  std::string list;
  for (const auto& [known, value] : query.parameters()) {
    if (known != name) continue;
    std::string_view rest = value;
    while (!rest.empty()) {
      const std::string_view piece = rest.substr(0, rest.find(','));
      rest.remove_prefix(std::min(rest.size(), piece.size() + 1));
      const auto number = number_of(piece);
      if (!number || *number > 255 || list.size() > 64)
        return fail(ErrorCode::invalid, std::string(name) + " must be octets like 0,165,9,1,2,3");
      list += (list.empty() ? "" : ",") + std::to_string(*number);
    }
  }
  return "[" + list + "]";
}

Status take_field(const Query& query, const Field& field, std::string_view value, IdentityRequest& request) {
  if (value.size() > kLongestField) return fail(ErrorCode::invalid, std::string(field.name) + " has more than 256 bytes");
  if (field.numbers) {
    BIRTHMARK_TRY(const std::string list, list_of(query, field.name));
    append_member(request.fields, field.name, list);
    return {};
  }
  if (field.name == "gatewayServicesAddress") request.services_address = value;
  if (field.name == "hardwareVersion") request.hardware_version = value;
  append_member(request.fields, field.name, json_string(value));
  return {};
}

// In the order of the request; defaults behind.
Status take_fields(const Query& query, IdentityRequest& request) {
  std::vector<std::string_view> seen;
  for (const auto& [name, value] : query.parameters()) {
    const Field* field = field_named(name);
    if (field == nullptr || std::find(seen.begin(), seen.end(), field->name) != seen.end()) continue;
    seen.push_back(field->name);
    if (value.empty() && !field->numbers) return fail(ErrorCode::invalid, name + " is empty");
    BIRTHMARK_CHECK(take_field(query, *field, value, request));
  }
  for (const Field& field : kFields) {
    const bool given = std::find(seen.begin(), seen.end(), field.name) != seen.end();
    if (!given && !field.otherwise.empty()) BIRTHMARK_CHECK(take_field(query, field, field.otherwise, request));
  }
  return {};
}

Status take_target(const Query& query, std::string_view peer, IdentityRequest& request) {
  request.address = query.find("ip").value_or(peer);
  if (request.address == "localhost") request.address = "127.0.0.1";
  if (request.address.starts_with("::ffff:")) request.address.erase(0, 7);
  if (!core::parse_address(request.address)) return fail(ErrorCode::invalid, "ip must be the gateway's IP address, not a name");
  const auto port = query.find("port");
  if (!port) return {};
  const auto number = number_of(*port);
  if (!number || *number == 0 || *number > 65535) return fail(ErrorCode::invalid, "port must be a number from 1 to 65535");
  request.port = static_cast<std::uint16_t>(*number);
  return {};
}

}  // namespace

Result<Query> Query::parse(std::string_view text) {
  Query query;
  while (!text.empty()) {
    const std::string_view piece = text.substr(0, text.find('&'));
    text.remove_prefix(std::min(text.size(), piece.size() + 1));
    if (piece.empty()) continue;
    if (query.parameters_.size() == kMostParameters) return fail(ErrorCode::invalid, "the request has more than 64 parameters");
    const std::size_t equals = std::min(piece.find('='), piece.size());
    std::string name = decode(piece.substr(0, equals));
    if (name.ends_with("[]")) name.resize(name.size() - 2);
    std::string value = equals < piece.size() ? decode(piece.substr(equals + 1)) : std::string();
    if (!is_clean(name)) return fail(ErrorCode::invalid, "a parameter's name is not UTF-8, or has control characters in it");
    if (!is_clean(value)) return fail(ErrorCode::invalid, name + " is not UTF-8, or has control characters in it");
    query.parameters_.emplace_back(std::move(name), std::move(value));
  }
  return query;
}

std::optional<std::string_view> Query::find(std::string_view name) const {
  for (const auto& [known, value] : parameters_) {
    if (known == name) return value;
  }
  return std::nullopt;
}

std::string IdentityRequest::target() const {
  const bool v6 = address.find(':') != std::string::npos;
  return (v6 ? "[" + address + "]" : address) + ":" + std::to_string(port);
}

Result<IdentityRequest> read_identity_request(const Query& query, std::string_view peer) {
  IdentityRequest request;
  request.serial_number = query.find("serialNumber").value_or(std::string_view());
  if (request.serial_number == kUndefined) return fail(ErrorCode::invalid, "serialNumber is missing ('undefined' is no serial number)");
  BIRTHMARK_CHECK(check_serial_number(request.serial_number));
  BIRTHMARK_CHECK(take_target(query, peer, request));
  BIRTHMARK_CHECK(take_fields(query, request));
  const std::string_view key = query.find("verificationKey").value_or(std::string_view());
  if (key.size() > kLongestField) return fail(ErrorCode::invalid, "verificationKey has more than 256 bytes");
  if (key != kNoVerificationKey && key != kUndefined) request.verification_key = key;
  return request;
}

}  // namespace birthmark::faces::izuma
