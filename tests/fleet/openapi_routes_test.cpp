// SPDX-License-Identifier: Apache-2.0
// The OpenAPI document has every route that a resource has, with the scope it asks for, and no other.
#include <boost/json.hpp>
#include <set>

#include "faces/factory_api/openapi.h"
#include "test_fleet_face.h"

namespace birthmark::testing {
namespace {

namespace json = boost::json;

std::string lower(std::string text) {
  return to_lower(text);
}

TEST(OpenApi, ItsRoutesAreThoseOfTheFace) {
  TestFleetFace face;
  const json::value document = json::parse(faces::factory_api::openapi_document());
  EXPECT_EQ(document.at("openapi").as_string(), "3.1.0");
  std::set<std::string> documented, served;
  for (const auto& [path, operations] : document.at("paths").as_object())
    for (const auto& [method, operation] : operations.as_object()) {
      if (method == "parameters") continue;
      const json::object& details = operation.as_object();
      const std::string scope = details.contains("x-scope") ? std::string(details.at("x-scope").as_string()) : "nobody";
      documented.insert(std::string(method) + " " + std::string(path) + " " + scope);
    }
  for (const auto& route : face.routes) {
    using Kind = faces::factory_api::Access::Kind;
    const std::string scope = route.access.kind == Kind::everybody      ? "nobody"
                              : route.access.kind == Kind::every_caller ? "any"
                                                                        : std::string(to_string(route.access.needed));
    served.insert(lower(route.method) + " " + route.pattern + " " + scope);
  }
  // What the PKI keeper and the enroller answer needs more than this test has; tests/factory_api and the end-to-end test ask them.
  std::erase_if(documented, [](const std::string& line) {
    return line.find("/certs/") != std::string::npos || line.starts_with("post /ota/devices/ ") || line.starts_with("put /ota/devices/ ");
  });
  EXPECT_EQ(documented, served);
}

}  // namespace
}  // namespace birthmark::testing
