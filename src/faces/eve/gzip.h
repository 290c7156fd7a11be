// SPDX-License-Identifier: Apache-2.0
// gzip files (RFC 1952) from nodes, unpacked within bounds.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace birthmark::faces::eve {

// The contents of every member. `invalid` when it is no gzip or is cut off, `too_large` beyond `most` bytes: memory never holds more.
[[nodiscard]] Result<std::string> unpack_gzip(std::string_view packed, std::size_t most);
// The same without keeping the contents.
[[nodiscard]] Status check_gzip(std::string_view packed, std::size_t most);

}  // namespace birthmark::faces::eve
