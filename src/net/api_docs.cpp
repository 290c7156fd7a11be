// SPDX-License-Identifier: Apache-2.0
#include "net/api_docs.h"

#include <utility>

#include "base/text.h"

#ifdef BIRTHMARK_SWAGGER_UI
// Octets of the package's files; cmake/Web.cmake puts them there.
extern "C" const char birthmark_swagger_css[];
extern "C" const char birthmark_swagger_css_end[];
extern "C" const char birthmark_swagger_js[];
extern "C" const char birthmark_swagger_js_end[];
#endif

namespace birthmark::net {
namespace {

// The bundle styles elements inline and draws with data: images; scripts and everything else come from here alone.
constexpr const char* kPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'none'; base-uri 'none'; frame-ancestors 'none'";

Response page_of(std::string type, std::string body) {
  Response response;
  response.content_type = std::move(type);
  response.body = std::move(body);
  response.headers.emplace_back("Content-Security-Policy", kPolicy);
  response.headers.emplace_back("X-Content-Type-Options", "nosniff");
  response.headers.emplace_back("Referrer-Policy", "no-referrer");
  response.headers.emplace_back("Cache-Control", "no-cache");
  return response;
}

std::string html_page(const std::string& title) {
  return "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>" + title +
         "</title>\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
         "<link rel=\"stylesheet\" href=\"swagger-ui.css\">\n</head>\n<body>\n<div id=\"swagger-ui\"></div>\n"
         "<noscript>This page needs a script; the document itself does not.</noscript>\n"
         "<script src=\"swagger-ui-bundle.js\"></script>\n<script src=\"start.js\"></script>\n</body>\n</html>\n";
}

std::string start_script(const std::string& document_path) {
  return "window.ui = SwaggerUIBundle({url: " + json_string(document_path) +
         ", dom_id: '#swagger-ui', deepLinking: true, validatorUrl: null, queryConfigEnabled: false, tryItOutEnabled: false});\n";
}

}  // namespace

bool has_documentation_pages() {
#ifdef BIRTHMARK_SWAGGER_UI
  return true;
#else
  return false;
#endif
}

ApiDocs::ApiDocs(Settings settings) : settings_(std::move(settings)) {}

std::optional<Response> ApiDocs::answer(const Request& request) const {
  std::optional<Response> found;
  const std::string_view path = request.path, pages = settings_.pages_path;
  if (path == settings_.document_path) {
    found = page_of("application/json", settings_.document);
  } else if (path == pages.substr(0, pages.size() - 1)) {
    found = json_error(301, "the pages are at " + settings_.pages_path);
    found->headers.emplace_back("Location", settings_.pages_path);
  } else if (path.starts_with(pages)) {
    found = page(path.substr(pages.size()));
  }
  if (!found || request.method == "GET" || request.method == "HEAD") return found;
  Response refused = json_error(405, "this path takes: GET, HEAD");
  refused.headers.emplace_back("Allow", "GET, HEAD");
  return refused;
}

std::optional<Response> ApiDocs::page(std::string_view name) const {
  if (!has_documentation_pages())
    return json_error(404, "this program was built without its pages (npm was missing); the document is at " + settings_.document_path);
  if (name.empty() || name == "index.html") return page_of("text/html; charset=utf-8", html_page(settings_.title));
  if (name == "start.js") return page_of("text/javascript; charset=utf-8", start_script(settings_.document_path));
#ifdef BIRTHMARK_SWAGGER_UI
  if (name == "swagger-ui.css") return page_of("text/css; charset=utf-8", std::string(birthmark_swagger_css, birthmark_swagger_css_end));
  if (name == "swagger-ui-bundle.js")
    return page_of("text/javascript; charset=utf-8", std::string(birthmark_swagger_js, birthmark_swagger_js_end));
#endif
  return json_error(404, "Not Found");
}

}  // namespace birthmark::net
