// SPDX-License-Identifier: Apache-2.0
// The running server that the conformance tests of POST /sign share: one process for each configuration, started when first asked.
#pragma once

#include <boost/json.hpp>
#include <memory>
#include <string>
#include <string_view>

#include "../e2e/device.h"
#include "../e2e/http_peer.h"
#include "../e2e/server_process.h"

namespace birthmark::conformance {

using e2e::Answer;
using e2e::Device;

class SignServer {
 public:
  // `settings`: lines for the [registration] section.
  explicit SignServer(const std::string& settings = {});

  [[nodiscard]] std::uint16_t port() const { return server_->port(); }
  [[nodiscard]] const e2e::Factory& factory() const { return factory_; }
  [[nodiscard]] e2e::ServerProcess& process() const { return *server_; }
  // Must answer. Every test's answers pass here: never 5xx, and errors are JSON with a message.
  [[nodiscard]] Answer post(std::string_view body, std::string_view content_type = "application/json") const;
  [[nodiscard]] Answer post(const boost::json::object& body) const { return post(boost::json::serialize(body)); }
  // The device may come again with any key.
  void forget(const std::string& id) const;

 private:
  e2e::Factory factory_;
  std::unique_ptr<e2e::ServerProcess> server_;
};

[[nodiscard]] SignServer& default_server();
[[nodiscard]] SignServer& safe_id_server();  // device_id = "safe"
[[nodiscard]] SignServer& rsa_server();      // device_id = "safe", allow_rsa = true

// tests/data/PATH
[[nodiscard]] std::string test_data(const std::string& path);

}  // namespace birthmark::conformance
