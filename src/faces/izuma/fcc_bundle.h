// SPDX-License-Identifier: Apache-2.0
// The messages for a Factory Configurator Client (protocol facts, pep 5.3, 5.6 and 5.7), and the judgement of them before they are sent:
// a rejected message ends the client's process.
#pragma once

#include <optional>
#include <string>

#include "base/secret.h"
#include "core/ports/x509_codec.h"
#include "faces/izuma/factory_settings.h"

namespace birthmark::faces::izuma {

// What is particular to one gateway.
struct Injection {
  std::string serial_number;
  const SecretBytes* private_key = nullptr;  // absent: the device made its own, in an earlier message of `session`
  std::string session;                       // empty: this message stands alone
  Bytes certificate;                         // the device's
  std::vector<Bytes> issuers;                // above it, nearest first; injected when settings.chain_depth asks for them
  Instant now;
  Bytes entropy;  // 48 octets, or empty: by the device
};

[[nodiscard]] SecretBytes encode_injection(const FactorySettings& settings, const Injection& injection);
// Why the client would reject it (the checks of 5.6 in their order), without asking it.
[[nodiscard]] Status check_injection(const FactorySettings& settings, const Injection& injection, const core::X509Codec& codec);

// The first message of a by_device session: make a key and send a certificate request for this subject.
[[nodiscard]] SecretBytes encode_csr_request(const std::string& session, std::string_view subject);
// "C=FI,O=Acme,CN=GW-0001"; a comma within a value is escaped (5.7).
[[nodiscard]] std::string subject_text(const std::vector<core::SubjectAttribute>& attributes, std::string_view common_name);

inline constexpr std::string_view kBootstrapKeyName = "mbed.BootstrapDevicePrivateKey";
inline constexpr auto kLeastValidity = std::chrono::hours(24 * 3653);  // ten years: less is a warning on the device

}  // namespace birthmark::faces::izuma
