// SPDX-License-Identifier: Apache-2.0
#include "sign_server.h"

#include <gtest/gtest.h>

namespace birthmark::conformance {

SignServer::SignServer(const std::string& settings) {
  if (!settings.empty()) factory_.configure("registration", settings);
  server_ = factory_.serve();
}

Answer SignServer::post(std::string_view body, std::string_view content_type) const {
  const auto answer = e2e::post_sign(port(), body, content_type);
  e2e::require(answer.has_value(), "no whole answer to: " + std::string(body.substr(0, 300)));
  EXPECT_LT(answer->status, 500) << body.substr(0, 300) << "\n" << answer->body;
  EXPECT_EQ(answer->header("content-type"), "application/json") << answer->body;
  if (answer->status != 201) EXPECT_NE(answer->message(), "") << answer->status << " " << answer->body;
  return *answer;
}

void SignServer::forget(const std::string& id) const {
  factory_.command({"device", "deny", id, "--reason", "test"});
  factory_.command({"device", "allow", id, "--reason", "test"});
}

SignServer& default_server() {
  static SignServer server;
  return server;
}

SignServer& safe_id_server() {
  static SignServer server("device_id = \"safe\"");
  return server;
}

SignServer& rsa_server() {
  static SignServer server("device_id = \"safe\"\nallow_rsa = true");
  return server;
}

std::string test_data(const std::string& path) {
  return e2e::read_text(std::filesystem::path(BIRTHMARK_TEST_DATA) / path);
}

}  // namespace birthmark::conformance
