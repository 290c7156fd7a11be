// SPDX-License-Identifier: Apache-2.0
// The four shell scripts that fioctl up to 0.36 gets with its requests and runs on the PKI owner's machine (protocol facts, Foundries 1.8).
#pragma once

#include <string>
#include <string_view>

namespace birthmark::faces::factory_api {

struct LegacyScripts {
  std::string create_ca;         // makes factory_ca.key and factory_ca.pem
  std::string create_device_ca;  // KEY CERTIFICATE: makes both
  std::string sign_ca_csr;       // CSR: the certificate on stdout
  std::string sign_tls_csr;      // CSR: the certificate on stdout
};

// `factory` and `user_id` consist of letters, digits, '-', '_' and '.' only.
[[nodiscard]] LegacyScripts legacy_scripts(std::string_view factory, std::string_view user_id);

}  // namespace birthmark::faces::factory_api
