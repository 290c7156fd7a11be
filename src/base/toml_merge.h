// SPDX-License-Identifier: Apache-2.0
// TOML texts laid over each other, section by section and key by key.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace birthmark {

// The later text wins where both have a key that is no table. `invalid` when one of them is not TOML.
[[nodiscard]] Result<std::string> merge_toml(const std::vector<std::string_view>& texts);

}  // namespace birthmark
