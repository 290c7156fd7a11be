// SPDX-License-Identifier: Apache-2.0
// Throw-away identities of test orders, once their time is over: their keys are forgotten, so that they are refused everywhere and their
// ids are free. Called by the command line, and by a running server now and then.
#pragma once

#include "core/lifecycle.h"
#include "core/ports/clock.h"
#include "core/ports/registry.h"

namespace birthmark::core {

enum class PurgeScope : std::uint8_t {
  expired,  // whose certificate has ended
  all,
};

// How many were purged; each has its audit record. What another process changed meanwhile is left alone.
[[nodiscard]] Task<Result<std::uint64_t>> purge_test_devices(Registry& registry, const Clock& clock, std::string factory, PurgeScope scope,
                                                             OperatorAct act);

}  // namespace birthmark::core
