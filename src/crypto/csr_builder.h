// SPDX-License-Identifier: Apache-2.0
// Makes certificate requests: for the server's own keys (`init`), for the demo's devices and for tests.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "crypto/private_key.h"

namespace birthmark::crypto {

struct CsrSubject {
  std::string common_name{};
  std::string organizational_unit{};        // empty: none
  bool production = false;                  // businessCategory=production
  std::vector<std::string> dns_names{};     // subjectAltName request, in this order
  std::vector<std::string> ip_addresses{};  // likewise, behind them
  bool device_extensions = false;  // ask for keyUsage digitalSignature and extendedKeyUsage clientAuth, as lmp-device-register does
};

// One CERTIFICATE REQUEST block with one final newline, attributes in the order CN, OU, businessCategory, UTF8String.
[[nodiscard]] Result<std::string> make_csr_pem(const PrivateKey& key, const CsrSubject& subject);

}  // namespace birthmark::crypto
