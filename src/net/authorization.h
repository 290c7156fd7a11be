// SPDX-License-Identifier: Apache-2.0
// The token a request shows, wherever the ecosystems' clients put it.
#pragma once

#include <string_view>

#include "net/http.h"

namespace birthmark::net {

// Of `Authorization: Bearer T` (RFC 6750 section 2.1), else of `OSF-TOKEN: T` (protocol facts, Foundries 2.3); empty when there is none.
[[nodiscard]] std::string_view presented_token(const Request& request);

}  // namespace birthmark::net
