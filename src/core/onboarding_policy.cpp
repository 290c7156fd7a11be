// SPDX-License-Identifier: Apache-2.0
#include "core/onboarding_policy.h"

#include <algorithm>

#include "base/text.h"
#include "core/order_policy.h"

namespace birthmark::core {
namespace {

constexpr std::size_t kLongestSerial = 256;

std::string_view trim(std::string_view text) {
  const auto blank = [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; };
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  return text;
}

bool is_control(char c) {
  return static_cast<unsigned char>(c) < 0x20U || c == 0x7f;
}

bool is_soft_serial_character(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '_';
}

bool matches_any(const std::vector<std::string>& globs, const std::string& serial) {
  return std::any_of(globs.begin(), globs.end(), [&](const std::string& glob) { return matches_glob(glob, serial); });
}

}  // namespace

std::vector<std::string> OnboardingRules::default_placeholders() {
  return {"To be filled by O.E.M.",
          "Default string",
          "System Serial Number",
          "Not Specified",
          "Not Applicable",
          "Not Available",
          "Not Provided",
          "None",
          "N/A",
          "Unknown",
          "Invalid",
          "OEM",
          "Chassis Serial Number",
          "Serial Number",
          "0",
          "00000000",
          "0123456789",
          "123456789",
          "1234567890",
          "empty"};
}

bool OnboardingRules::is_placeholder(std::string_view serial) const {
  const std::string lower = to_lower(trim(serial));
  return lower.empty() ||
         std::any_of(placeholders.begin(), placeholders.end(), [&](const std::string& known) { return to_lower(trim(known)) == lower; });
}

Result<NodeSerials> read_serials(std::string_view hardware, std::string_view soft) {
  if (hardware.size() > kLongestSerial) return fail(ErrorCode::invalid, "serial is longer than 256 bytes");
  if (soft.size() > kLongestSerial) return fail(ErrorCode::invalid, "softSerial is longer than 256 bytes");
  const NodeSerials serials{std::string(trim(hardware)), std::string(trim(soft))};
  if (!is_utf8(serials.hardware) || std::any_of(serials.hardware.begin(), serials.hardware.end(), is_control))
    return fail(ErrorCode::invalid, "serial has control characters, or is not UTF-8");
  if (!std::all_of(serials.soft.begin(), serials.soft.end(), is_soft_serial_character))
    return fail(ErrorCode::invalid, "softSerial may have letters, digits, - and _ only");
  if (serials.hardware.empty() && serials.soft.empty()) return fail(ErrorCode::invalid, "serial and softSerial are both empty");
  return serials;
}

std::optional<std::string> why_closed(const OnboardingCertificate& certificate, Instant now) {
  const std::string name = "onboarding certificate " + certificate.name;
  if (certificate.revoked_at) return name + " was revoked at " + format_rfc3339(*certificate.revoked_at);
  if (certificate.expires_at && *certificate.expires_at <= now) return name + " is over since " + format_rfc3339(*certificate.expires_at);
  return std::nullopt;
}

Result<std::optional<std::string>> admitted_serial(const OnboardingCertificate& certificate, const NodeSerials& serials,
                                                   const OnboardingRules& rules, const IsListed& listed) {
  for (const std::string* serial : {&serials.hardware, &serials.soft}) {
    if (serial->empty()) continue;
    if (certificate.listed > 0) {
      BIRTHMARK_TRY(const bool named, listed(*serial));
      if (named) return *serial;
    }
    if (rules.is_placeholder(*serial)) continue;
    if (certificate.any_serial || matches_any(certificate.globs, *serial)) return *serial;
  }
  return std::nullopt;
}

std::optional<std::string> telling_serial(const NodeSerials& serials, const OnboardingRules& rules) {
  if (!rules.is_placeholder(serials.hardware)) return serials.hardware;
  if (!serials.soft.empty()) return serials.soft;
  return std::nullopt;
}

}  // namespace birthmark::core
