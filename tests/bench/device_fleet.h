// SPDX-License-Identifier: Apache-2.0
// Devices with real keys and certificates, signed by a factory's own local CA as the manual recipe does (protocol facts, gateway 5): the
// server has never seen them. For the load generators.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "base/result.h"
#include "crypto/openssl.h"

namespace birthmark::bench {

struct FleetDevice {
  std::string uuid;
  crypto::PkeyHandle key;
  crypto::X509Handle certificate;
};

// `count` devices with P-256 keys, made on every core. `pki`: the directory with local-ca.pem and local-ca.key.
[[nodiscard]] Result<std::vector<FleetDevice>> make_fleet(std::size_t count, const std::filesystem::path& pki, const std::string& factory);

}  // namespace birthmark::bench
