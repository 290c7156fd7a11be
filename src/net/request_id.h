// SPDX-License-Identifier: Apache-2.0
// How a request is named in the log and to its client (X-Request-Id): as the client named it, or by a number of our own.
#pragma once

#include <string>
#include <string_view>

namespace birthmark::net {

// `presented` when it is a name that may stand in a log line: 1 to 64 letters, digits, '-', '_', '.'. Otherwise one that no other request
// of this process has, and hardly one of another process.
[[nodiscard]] std::string request_id(std::string_view presented);

}  // namespace birthmark::net
