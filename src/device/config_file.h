// SPDX-License-Identifier: Apache-2.0
// Files of EVE's /config, which is a FAT partition: no links, no modes. Durable all the same; a power cut leaves the whole file or none.
#pragma once

#include <filesystem>
#include <string_view>

#include "base/result.h"
#include "crypto/private_key.h"

namespace birthmark::device {

enum class Secrecy : std::uint8_t { open, secret };

// Makes or replaces it: written beside, synced, renamed, directory synced. `secret` is mode 0600 where modes are kept.
[[nodiscard]] Status write_config_file(const std::filesystem::path& path, std::string_view contents, Secrecy secrecy);

// Whatever its mode: on FAT the mount decides, and the whole partition is as secret as the machine.
[[nodiscard]] Result<crypto::PrivateKey> read_config_key(const std::filesystem::path& path);

}  // namespace birthmark::device
