// SPDX-License-Identifier: Apache-2.0
// What a listener tells about its own interface: an OpenAPI document, and pages that show it (Swagger UI, built in) and fetch nothing from
// anywhere else. A face asks it for each GET that it does not know.
#pragma once

#include <optional>
#include <string>

#include "net/http.h"

namespace birthmark::net {

// Whether this build has the pages; without npm it is made without them.
[[nodiscard]] bool has_documentation_pages();

class ApiDocs {
 public:
  struct Settings {
    std::string title;                            // of the page
    std::string document;                         // OpenAPI 3.1, JSON
    std::string document_path = "/openapi.json";  // where it is served
    std::string pages_path = "/docs/";            // ends in '/'
  };
  explicit ApiDocs(Settings settings);

  // Nothing when the path is none of its own. GET and HEAD; 405 for what else asks.
  [[nodiscard]] std::optional<Response> answer(const Request& request) const;

 private:
  [[nodiscard]] std::optional<Response> page(std::string_view name) const;

  const Settings settings_;
};

}  // namespace birthmark::net
