// SPDX-License-Identifier: Apache-2.0
// Where a request really comes from: the peer of the connection; behind a proxy that the configuration names, whom that one names.
#pragma once

#include <span>
#include <string>

#include "core/network.h"
#include "net/http.h"

namespace birthmark::faces::factory_api {

// X-Forwarded-For is read from its end as long as what it names is a configured proxy; from anybody else it means nothing.
[[nodiscard]] std::string client_address(const net::Request& request, std::span<const core::Network> proxies);

}  // namespace birthmark::faces::factory_api
