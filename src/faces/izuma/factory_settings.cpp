// SPDX-License-Identifier: Apache-2.0
#include "faces/izuma/factory_settings.h"

#include <algorithm>

namespace birthmark::faces::izuma {
namespace {

// RFC 3986 3.4 by hand: the client looks for "?aid=" and "&aid=" in the whole text.
bool has_account(std::string_view uri) {
  return uri.find("?aid=") != std::string_view::npos || uri.find("&aid=") != std::string_view::npos;
}

bool is_offset(std::string_view text) {
  const auto digit = [&](std::size_t at) { return text[at] >= '0' && text[at] <= '9'; };
  return text.size() == 6 && (text[0] == '+' || text[0] == '-') && digit(1) && digit(2) && text[3] == ':' && digit(4) && digit(5);
}

// Names of items in the client's store.
bool is_item_name(std::string_view name) {
  const auto good = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
  };
  return !name.empty() && name.size() <= 100 && std::all_of(name.begin(), name.end(), good);
}

std::size_t characters(std::string_view utf8) {
  return static_cast<std::size_t>(
      std::count_if(utf8.begin(), utf8.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0U) != 0x80U; }));
}

bool has_control_characters(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

void judge_uri(const FactorySettings& settings, std::vector<std::string>& problems) {
  const std::string& uri = settings.bootstrap_server_uri;
  if (!uri.starts_with("coaps://") && !uri.starts_with("coap://"))
    problems.push_back("bootstrap-server-uri must begin with coaps:// (or coap://): '" + uri + "'");
  if (settings.first_to_claim && uri.find("aid") != std::string::npos && has_account(uri))
    problems.push_back("bootstrap-server-uri names an account (aid), which first-to-claim does not allow");
  if (!settings.first_to_claim && !has_account(uri) && settings.account_id.empty())
    problems.push_back("first-to-claim is off: give the account, as account-id or as ?aid= in bootstrap-server-uri");
}

void judge_subject(const FactorySettings& settings, std::vector<std::string>& problems) {
  for (const auto& [type, value] : settings.subject) {
    const bool country = type == "C";
    const bool two_letters = value.size() == 2 && std::all_of(value.begin(), value.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
    if (country && !two_letters) problems.push_back("device-certificate: the country must be two capital letters, like FI");
    if (!country && (value.empty() || characters(value) > kLongestSerial || has_control_characters(value) || !is_utf8(value)))
      problems.push_back("device-certificate: " + type + " must be 1 to 64 characters of UTF-8");
  }
}

}  // namespace

std::vector<std::string> problems_of(const FactorySettings& settings) {
  std::vector<std::string> problems;
  judge_uri(settings, problems);
  judge_subject(settings, problems);
  if (settings.bootstrap_server_ca.empty())
    problems.emplace_back("the bootstrap server's CA certificate is missing (pep.bootstrap_server_ca)");
  const DeviceInfo& info = settings.device_info;
  const std::pair<const char*, const std::string*> needed[] = {{"manufacturer", &info.manufacturer},
                                                               {"model-number", &info.model_number},
                                                               {"device-type", &info.device_type},
                                                               {"hardware-version", &info.hardware_version}};
  for (const auto& [name, value] : needed) {
    if (value->empty()) problems.push_back("device-info: " + std::string(name) + " is missing");
    if (!is_utf8(*value)) problems.push_back("device-info: " + std::string(name) + " is not UTF-8");
  }
  if (info.memory_total_kb == 0) problems.emplace_back("device-info: memory-total-kb is missing");
  if (info.memory_total_kb > 0xffffffffU) problems.emplace_back("device-info: memory-total-kb is larger than the device can store");
  if (!is_offset(info.utc_offset)) problems.push_back("device-info: utc-offset must look like +02:00, not '" + info.utc_offset + "'");
  if (info.timezone.empty()) problems.emplace_back("device-info: timezone is empty");
  if (!settings.update_certificate.empty() && (!settings.vendor_id || !settings.class_id))
    problems.emplace_back("vendor-id and class-id must be given (as UUIDs) where there is an update certificate");
  if (settings.entropy_mode == EntropyMode::externally_supplied && settings.entropy.size() != kEntropyOctets)
    problems.emplace_back("entropy.bin must have exactly 48 bytes");
  if (settings.chain_depth > 4) problems.emplace_back("device-certificate-chain-depth may be 0 to 4");
  for (const Parameter& parameter : settings.custom) {
    if (!is_item_name(parameter.name) || parameter.name.starts_with("mbed."))
      problems.push_back("custom-properties: '" + parameter.name +
                         "' must be up to 100 letters, digits, dots, dashes and underscores, and not begin with mbed.");
  }
  return problems;
}

Status check_serial_number(std::string_view serial) {
  if (serial.empty()) return fail(ErrorCode::invalid, "serialNumber is missing");
  if (!is_utf8(serial)) return fail(ErrorCode::invalid, "serialNumber is not UTF-8");
  if (has_control_characters(serial)) return fail(ErrorCode::invalid, "serialNumber has control characters in it");
  if (characters(serial) > kLongestSerial)
    return fail(ErrorCode::invalid, "serialNumber has more than 64 characters, the most that a certificate's common name may have");
  return {};
}

}  // namespace birthmark::faces::izuma
