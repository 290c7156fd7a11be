// SPDX-License-Identifier: Apache-2.0
// POST /sign as lmp-device-register writes it (protocol facts, Foundries 3.4), each with a key and a UUID of its own.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "base/result.h"

namespace birthmark::bench {

// `count` complete HTTP requests, made on every core.
[[nodiscard]] Result<std::vector<std::string>> make_sign_requests(std::size_t count, const std::string& factory);

}  // namespace birthmark::bench
