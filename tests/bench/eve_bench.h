// SPDX-License-Identifier: Apache-2.0
// `birthmark-bench eve`: what a node's /uuid and /config cost the real server over TLS, beside the verification and the signature in each;
// with few and with many nodes; and durable registrations.
#pragma once

#include <filesystem>

#include "base/result.h"
#include "sign_bench.h"

namespace birthmark::bench {

[[nodiscard]] Status run_eve_bench(const std::filesystem::path& server, Extent extent);

}  // namespace birthmark::bench
