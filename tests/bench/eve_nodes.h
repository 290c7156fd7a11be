// SPDX-License-Identifier: Apache-2.0
// Nodes for the EVE bench: thousands in the database of a stopped server, some of them with keys that can sign requests.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/result.h"
#include "crypto/private_key.h"

namespace birthmark::bench {

struct BenchNode {
  std::string uuid;
  Bytes certificate_der;
  crypto::PrivateKey key;
};

// Grows the registry to `count` nodes, `signing` of them new ones with keys, spread over the others.
[[nodiscard]] Result<std::vector<BenchNode>> preload_nodes(const std::filesystem::path& directory, std::size_t count, std::size_t signing,
                                                           std::size_t already);

// POST /api/v2/edgedevice/uuid, and .../id/<uuid>/config, signed by the node.
[[nodiscard]] Result<std::string> uuid_request(const BenchNode& node);
[[nodiscard]] Result<std::string> config_request(const BenchNode& node);
// Registrations with the onboarding pair of `config` (as eve-config writes it), each of a device of its own.
[[nodiscard]] Result<std::vector<std::string>> register_requests(const std::filesystem::path& config, std::size_t count);

}  // namespace birthmark::bench
