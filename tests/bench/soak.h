// SPDX-License-Identifier: Apache-2.0
// `birthmark-bench soak`: mixed traffic at the real gateway for a long time, little at once, to see whether its memory stays.
#pragma once

#include <filesystem>

#include "base/result.h"

namespace birthmark::bench {

// `server` is the birthmark program; a scratch factory is made beside it and removed. An error when anything was answered wrongly or a slow
// peer was not cut.
[[nodiscard]] Status run_soak(const std::filesystem::path& server, unsigned minutes);

}  // namespace birthmark::bench
