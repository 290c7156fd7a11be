// SPDX-License-Identifier: Apache-2.0
// `birthmark-bench http`: what the HTTP engine alone costs, with a handler that does nothing.
#pragma once

#include "base/result.h"
#include "sign_bench.h"

namespace birthmark::bench {

// On one network thread, in a child process.
[[nodiscard]] Status run_http_bench(Extent extent);

// Serves the same handler on that port until killed: for other load generators.
[[nodiscard]] Status serve_http(std::uint16_t port, unsigned threads);

}  // namespace birthmark::bench
