// SPDX-License-Identifier: Apache-2.0
// The built server is asked everything that its own OpenAPI document describes: with the examples, without a token, with another content
// type and with broken bodies. Each answer must be one that the document has, never a 5xx.
#include <gtest/gtest.h>

#include <random>

#include "../e2e/device.h"
#include "../e2e/http_peer.h"
#include "../e2e/server_process.h"
#include "schema_check.h"

namespace birthmark::e2e {
namespace {

namespace json = boost::json;

struct Operation {
  std::string method, path;
  json::value details;
  [[nodiscard]] bool open() const {
    const json::value* security = details.as_object().if_contains("security");
    return security != nullptr && security->as_array().empty();
  }
};

class OpenApi : public ::testing::Test {
 protected:
  void SetUp() override {
    token_ = factory_.command({"token", "create", "--scope", "admin"});
    while (token_.ends_with('\n')) token_.pop_back();
    ServerProcess::Options options;
    options.listen = {"api=127.0.0.1:0", "registration=127.0.0.1:0"};
    server_ = factory_.serve(options);
    const auto document = request("GET", "/openapi.json", "", "", token_);
    ASSERT_EQ(document.status, 200);
    document_ = json::parse(document.body);
    ASSERT_EQ(post_sign(server_->port(), device_.body())->status, 201);
    // The names of the examples.
    EXPECT_EQ(request("PATCH", "/ota/devices/" + device_.uuid + "/", R"({"name":"line-7-0001"})", kJson, token_).status, 200);
    EXPECT_EQ(request("POST", "/ota/factories/acme/device-groups/", R"({"name":"line-7"})", kJson, token_).status, 201);
    for (const auto& [path, operations] : document_.at("paths").as_object()) {
      for (const auto& [method, details] : operations.as_object()) {
        if (method == "parameters") continue;
        std::string upper(method);
        for (char& c : upper) c = static_cast<char>(c - 'a' + 'A');
        operations_.push_back({upper, std::string(path), details});
      }
    }
  }

  Answer request(const std::string& method, const std::string& path, const std::string& body, const std::string& content_type,
                 const std::string& token) {
    std::string text = method + " " + path + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n";
    if (!token.empty()) text += "OSF-TOKEN: " + token + "\r\n";
    if (!content_type.empty()) text += "Content-Type: " + content_type + "\r\n";
    if (!body.empty() || method != "GET") text += "Content-Length: " + std::to_string(body.size()) + "\r\n";
    const auto answer = ask(server_->port("api"), text + "\r\n" + body);
    if (!answer) ADD_FAILURE() << "no answer to " << method << " " << path << "\n" << server_->log_text();
    return answer.value_or(Answer{});
  }

  // With the examples of its parameters in their places.
  std::string path_of(const Operation& operation) const {
    std::string path = operation.path;
    const json::object& item = document_.at("paths").as_object().at(operation.path).as_object();
    if (const json::value* parameters = item.if_contains("parameters"))
      for (const json::value& parameter : parameters->as_array()) {
        if (parameter.at("in") != "path") continue;
        const std::string mark = "{" + std::string(parameter.at("name").as_string()) + "}";
        path.replace(path.find(mark), mark.size(), parameter.at("example").as_string());
      }
    return path;
  }

  static std::pair<std::string, std::string> body_of(const Operation& operation) {
    const json::value* body = operation.details.as_object().if_contains("requestBody");
    if (body == nullptr) return {};
    const auto& content = *body->at("content").as_object().begin();
    const json::value& example = content.value().at("example");
    if (content.key() == kJson) return {json::serialize(example), std::string(content.key())};
    std::string form;
    for (const auto& [name, value] : example.as_object()) form += std::string(name) + "=" + std::string(value.as_string()) + "&";
    return {form, std::string(content.key())};
  }

  void expect_documented(const Operation& operation, const Answer& answer, const std::string& what) {
    const std::string status = std::to_string(answer.status);
    SCOPED_TRACE(operation.method + " " + operation.path + " " + what + " -> " + status + " " + answer.body.substr(0, 200));
    EXPECT_LT(answer.status, 500);
    const json::value* response = operation.details.at("responses").as_object().if_contains(status);
    ASSERT_NE(response, nullptr) << "the document has no such answer";
    const json::object& described = testing::resolved(document_, *response).as_object();
    const json::value* content = described.if_contains("content");
    if (content == nullptr) {
      EXPECT_EQ(answer.body, "");
      return;
    }
    const auto& [type, media] = *content->as_object().begin();
    EXPECT_TRUE(answer.header("content-type").starts_with(type)) << answer.header("content-type");
    if (type != kJson) return;
    boost::system::error_code failure;
    const json::value value = json::parse(answer.body, failure);
    ASSERT_FALSE(failure);
    EXPECT_EQ(testing::why_not(document_, media.at("schema"), value), "");
  }

  static constexpr const char* kJson = "application/json";
  Factory factory_;
  std::unique_ptr<ServerProcess> server_;
  std::string token_;
  json::value document_;
  const Device device_ = Device::make();
  std::vector<Operation> operations_;
};

TEST_F(OpenApi, EveryExampleIsAnsweredAsTheDocumentSays) {
  ASSERT_GT(operations_.size(), 30U);
  // What takes things away comes last, and otherwise in the document's order.
  const auto ask_all = [this](bool deletes) {
    for (const Operation& operation : operations_) {
      if ((operation.method == "DELETE") != deletes) continue;
      const auto [body, type] = body_of(operation);
      const Answer answer = request(operation.method, path_of(operation), body, type, token_);
      expect_documented(operation, answer, "with its example");
      if (!deletes) EXPECT_NE(answer.status, 404) << operation.method << " " << path_of(operation) << " " << answer.body;
    }
  };
  ask_all(false);
  ask_all(true);
}

TEST_F(OpenApi, WithoutATokenOnlyTheOauthPathsAnswer) {
  for (const Operation& operation : operations_) {
    const auto [body, type] = body_of(operation);
    const Answer answer = request(operation.method, path_of(operation), body, type, "");
    expect_documented(operation, answer, "without a token");
    if (!operation.open()) EXPECT_EQ(answer.status, 401) << operation.path;
  }
}

TEST_F(OpenApi, BrokenBodiesAreRefusedInItsWords) {
  std::mt19937_64 random(8628);
  for (const Operation& operation : operations_) {
    const auto [body, type] = body_of(operation);
    if (type.empty() || operation.method == "DELETE") continue;
    expect_documented(operation, request(operation.method, path_of(operation), body, "text/plain", token_), "as text");
    std::vector<std::string> bodies{
        "", "{", "[]", "null", "\"x\"", std::string(3000, '['), R"({"name":1,"files":2,"group":[],"tls-csr":"x"})"};
    for (int i = 0; i < 25; ++i) {
      std::string mutated = body;
      for (int change = 0; change < 3 && !mutated.empty(); ++change) {
        const std::size_t at = random() % mutated.size();
        if (random() % 2 == 0)
          mutated[at] = static_cast<char>(random() % 256);
        else
          mutated.erase(at, 1 + random() % 4);
      }
      bodies.push_back(std::move(mutated));
    }
    for (const std::string& broken : bodies)
      expect_documented(operation, request(operation.method, path_of(operation), broken, type, token_), "with " + broken.substr(0, 80));
  }
  EXPECT_TRUE(server_->runs());
}

TEST_F(OpenApi, ThePagesNeedNothingFromElsewhere) {
  const auto page = request("GET", "/docs/", "", "", "");
  if (page.status == 404) GTEST_SKIP() << page.message();
  ASSERT_EQ(page.status, 200);
  EXPECT_EQ(page.body.find("://"), std::string::npos);
  EXPECT_NE(page.header("content-security-policy").find("default-src 'none'"), std::string::npos);
  EXPECT_GT(request("GET", "/docs/swagger-ui-bundle.js", "", "", "").body.size(), 1'000'000U);
}

}  // namespace
}  // namespace birthmark::e2e
