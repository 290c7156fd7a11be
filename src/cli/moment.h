// SPDX-License-Identifier: Apache-2.0
// Points in time as operators write them on a command line.
#pragma once

#include <optional>
#include <string>

#include "base/time.h"

namespace birthmark::cli {

// "30d" from `now`, "2027-01-31T00:00:00Z" or "2027-01-31" (its beginning, UTC); empty: nothing. Errors name `option`.
[[nodiscard]] Result<std::optional<Instant>> parse_moment(const std::string& option, const std::string& text, Instant now);

}  // namespace birthmark::cli
