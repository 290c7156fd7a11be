// SPDX-License-Identifier: Apache-2.0
// The NodeCrypto port on OpenSSL.
#pragma once

#include <array>
#include <filesystem>
#include <memory>

#include "core/ports/clock.h"
#include "core/ports/node_crypto.h"

namespace birthmark::crypto {

using SealingKey = std::array<std::uint8_t, 32>;

// The key in `path` (32 octets, mode 0600), made when it is not there.
[[nodiscard]] Result<SealingKey> load_or_make_sealing_key(const std::filesystem::path& path, core::Random& random);

[[nodiscard]] std::unique_ptr<core::NodeCrypto> make_node_crypto(const SealingKey& key, core::Random& random);

}  // namespace birthmark::crypto
