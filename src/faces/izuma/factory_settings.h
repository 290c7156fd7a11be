// SPDX-License-Identifier: Apache-2.0
// What a factory wants injected into every gateway: the contents of fcu.yml, and what the original kept in its own archive. Validated
// whole before the face starts, because a Factory Configurator Client that rejects a bundle has to be started again.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "base/text.h"
#include "base/time.h"
#include "core/ports/gateway_tools.h"

namespace birthmark::faces::izuma {

enum class KeyMode : std::uint8_t { by_tool, by_device, externally_supplied };
enum class EntropyMode : std::uint8_t { by_device, by_tool, externally_supplied };

struct DeviceInfo {
  std::string manufacturer;
  std::string model_number;
  std::string device_type;
  std::string hardware_version;
  std::uint64_t memory_total_kb = 0;
  std::string timezone = "UTC";
  std::string utc_offset = "+00:00";
};

using ParameterValue = std::variant<std::string, std::uint64_t, Bytes>;
struct Parameter {
  std::string name;
  ParameterValue value;
};

struct FactorySettings {
  bool first_to_claim = true;
  std::string account_id;  // needed without first-to-claim: the URI's aid
  bool time_sync = true;
  bool verify_on_device = true;
  std::string bootstrap_server_uri;
  Bytes bootstrap_server_ca;  // DER
  DeviceInfo device_info;
  Bytes update_certificate;  // DER; empty: none
  std::optional<Uuid> vendor_id;
  std::optional<Uuid> class_id;
  KeyMode key_mode = KeyMode::by_tool;
  EntropyMode entropy_mode = EntropyMode::by_device;
  Bytes entropy;                                // 48 octets, externally supplied
  std::vector<core::SubjectAttribute> subject;  // before the common name
  unsigned chain_depth = 0;                     // certificates above the device's that are injected with it
  std::vector<Parameter> custom;
};

inline constexpr std::string_view kDefaultBootstrapUri = "coaps://bootstrap.us-east-1.mbedcloud.com:5684";
inline constexpr std::size_t kEntropyOctets = 48;
inline constexpr std::size_t kLongestSerial = 64;  // X.520 upper bound of a common name, in characters

// Everything about them that can be known before a gateway is there (protocol facts, pep 5.3 and 5.6); all problems, in plain words,
// naming the keys of fcu.yml. Whether certificates are what the client takes is judged where they are read.
[[nodiscard]] std::vector<std::string> problems_of(const FactorySettings& settings);

// A serial number is the endpoint name and the certificate's common name: 1 to 64 characters of UTF-8, no control characters.
[[nodiscard]] Status check_serial_number(std::string_view serial);

}  // namespace birthmark::faces::izuma
