// SPDX-License-Identifier: Apache-2.0
// The OpenAPI document of the pep listener, true to what it serves.
#pragma once

#include <string>

#include "net/api_docs.h"

namespace birthmark::faces::izuma {

// The document's name is the original's; JSON is YAML too (YAML 1.2, 1.3).
[[nodiscard]] net::ApiDocs::Settings pep_docs();

}  // namespace birthmark::faces::izuma
