// SPDX-License-Identifier: Apache-2.0
// The OpenAPI 3.1 document of everything the factory API serves. tests/factory_api checks it against the routes and a running server.
#pragma once

#include <string_view>

namespace birthmark::faces::factory_api {

[[nodiscard]] std::string_view openapi_document();

}  // namespace birthmark::faces::factory_api
