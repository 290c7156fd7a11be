// SPDX-License-Identifier: Apache-2.0
// Fills the registry of a stopped server with registered devices, through the Registry port, without a disk sync.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>

#include "base/result.h"

namespace birthmark::bench {

// `directory` as `birthmark init` made it. `progress` hears how many devices there are, now and then.
[[nodiscard]] Status preload_devices(const std::filesystem::path& directory, std::size_t count,
                                     const std::function<void(std::size_t)>& progress);

}  // namespace birthmark::bench
