// SPDX-License-Identifier: Apache-2.0
// HTTP dates as clients really write them.
#pragma once

#include <ctime>
#include <optional>
#include <string_view>

namespace birthmark::net {

// "Fri, 20 Nov 2026 10:00:00 GMT" (RFC 9110 5.6.7), and the same with "UTC", which is how Go's RFC1123 layout writes it (protocol facts,
// gateway 3.1).
[[nodiscard]] std::optional<std::time_t> parse_http_date(std::string_view text);

}  // namespace birthmark::net
