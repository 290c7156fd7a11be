// SPDX-License-Identifier: Apache-2.0
// Lists of devices as fioctl asks for them, while the table grows.
#pragma once

#include <filesystem>

#include "base/result.h"
#include "sign_bench.h"

namespace birthmark::bench {

[[nodiscard]] Status run_lists_bench(const std::filesystem::path& server, Extent extent);

}  // namespace birthmark::bench
