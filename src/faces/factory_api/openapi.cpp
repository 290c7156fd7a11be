// SPDX-License-Identifier: Apache-2.0
#include "faces/factory_api/openapi.h"

namespace birthmark::faces::factory_api {
namespace {

// Its paths are sorted by what they are about.
constexpr std::string_view kDocument =
#include "faces/factory_api/openapi.inc"
    ;

}  // namespace

std::string_view openapi_document() {
  return kDocument;
}

}  // namespace birthmark::faces::factory_api
