// SPDX-License-Identifier: Apache-2.0
// `birthmark-bench gateway`: what a device's visit costs the real gateway, beside the handshake that `openssl s_server` makes of it.
#pragma once

#include <filesystem>

#include "base/result.h"
#include "sign_bench.h"

namespace birthmark::bench {

// `server` is the birthmark program; a scratch factory is made beside it and removed.
[[nodiscard]] Status run_gateway_bench(const std::filesystem::path& server, Extent extent);

}  // namespace birthmark::bench
