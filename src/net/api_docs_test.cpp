// SPDX-License-Identifier: Apache-2.0
#include "net/api_docs.h"

#include <gtest/gtest.h>

namespace birthmark::net {
namespace {

std::optional<Response> ask(const std::string& path, const std::string& method = "GET") {
  static const ApiDocs docs({"Birthmark", R"({"openapi":"3.1.0"})", "/openapi.json", "/docs/"});
  Request request;
  request.method = method;
  request.path = path;
  return docs.answer(request);
}

TEST(ApiDocs, AnswersOnlyItsOwnPaths) {
  EXPECT_FALSE(ask("/"));
  EXPECT_FALSE(ask("/documents"));
  EXPECT_EQ(ask("/openapi.json")->body, R"({"openapi":"3.1.0"})");
  EXPECT_EQ(ask("/openapi.json", "POST")->status, 405);
  EXPECT_EQ(ask("/docs")->status, 301);
  EXPECT_EQ(ask("/docs/../../etc/passwd")->status, 404);
}

TEST(ApiDocs, PagesComeFromTheProgramAlone) {
  if (!has_documentation_pages()) {
    EXPECT_EQ(ask("/docs/")->status, 404);
    GTEST_SKIP() << "built without npm";
  }
  const auto page = ask("/docs/");
  ASSERT_EQ(page->status, 200);
  EXPECT_EQ(page->body.find("://"), std::string::npos) << "the page names no other place";
  EXPECT_NE(ask("/docs/start.js")->body.find("\"/openapi.json\""), std::string::npos);
  EXPECT_GT(ask("/docs/swagger-ui.css")->body.size(), 100'000U);
  const auto bundle = ask("/docs/swagger-ui-bundle.js");
  EXPECT_GT(bundle->body.size(), 1'000'000U);
  EXPECT_NE(bundle->body.find("SwaggerUIBundle"), std::string::npos);
}

}  // namespace
}  // namespace birthmark::net
