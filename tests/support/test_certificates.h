// SPDX-License-Identifier: Apache-2.0
// Certificates of any shape, good or bad, for tests that have to show one: made with OpenSSL's API, not with ours, so that what is tested
// did not make its own evidence.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.h"

namespace birthmark::testing {

struct CertificateSpec {
  std::vector<std::pair<std::string, std::string>> subject;     // {"CN", "x"}, {"OU", "acme"}: in this order
  std::vector<std::pair<std::string, std::string>> extensions;  // {"keyUsage", "critical,digitalSignature"}
  std::chrono::hours from = std::chrono::hours(-1);             // relative to now
  std::chrono::hours to = std::chrono::hours(24);
  std::string curve = "P-256";
  std::string key_pem;  // empty: a new one
};

struct TestCertificate {
  Bytes der;
  std::string pem;
  std::string key_pem;
  std::string public_key_pem;
};

// Self-signed without issuer. Ends the test program when the specification makes no sense.
[[nodiscard]] TestCertificate make_certificate(const CertificateSpec& spec, const TestCertificate* issuer = nullptr);

// A CA: basicConstraints CA:TRUE with that pathlen (or none), keyCertSign.
[[nodiscard]] TestCertificate make_authority(const std::string& name, const std::string& factory, const TestCertificate* issuer = nullptr,
                                             std::optional<int> path_length = std::nullopt);
// A device as lmp-device-register gets one.
[[nodiscard]] CertificateSpec device_spec(const std::string& id, const std::string& factory);
[[nodiscard]] TestCertificate make_server_certificate(const std::vector<std::string>& names, const TestCertificate& issuer);

}  // namespace birthmark::testing
