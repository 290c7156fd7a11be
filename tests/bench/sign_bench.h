// SPDX-License-Identifier: Apache-2.0
// `birthmark-bench sign`: what one registration costs the real server, durable, over loopback, beside the two primitives it contains.
#pragma once

#include <filesystem>

#include "base/result.h"

namespace birthmark::bench {

enum class Extent { full, quick, smoke };  // minutes, below 45 s, seconds (figures without meaning)

// `server` is the birthmark program; a scratch factory is made beside it, so that commits reach a real disk, and removed.
[[nodiscard]] Status run_sign_bench(const std::filesystem::path& server, Extent extent);

}  // namespace birthmark::bench
