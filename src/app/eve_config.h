// SPDX-License-Identifier: Apache-2.0
// [eve] of birthmark.toml.
#pragma once

#include <vector>

#include "core/onboarding_policy.h"
#include "net/server.h"

namespace birthmark::app {

struct EveConfig {
  std::vector<net::Endpoint> listen;  // empty: no such listener
  core::OnboardingRules rules;
  bool enforce_attestation = false;
  bool adam_admin = false;  // /admin without credentials on this listener too
  std::size_t keep_info = 100, keep_metrics = 20, keep_logs = 200;
};

}  // namespace birthmark::app
