// SPDX-License-Identifier: Apache-2.0
// `birthmark-bench pep`: gateways provisioned by the real server over Factory Configurator Clients of our own, on loopback.
#pragma once

#include "sign_bench.h"

namespace birthmark::bench {

[[nodiscard]] Status run_pep_bench(const std::filesystem::path& server, Extent extent);

}  // namespace birthmark::bench
