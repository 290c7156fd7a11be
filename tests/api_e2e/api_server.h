// SPDX-License-Identifier: Apache-2.0
// A factory whose server has an API and, when asked, a gateway; callers with tokens; devices at the gateway through curl.
#pragma once

#include <boost/json.hpp>
#include <memory>
#include <string>
#include <vector>

#include "../e2e/device.h"
#include "../e2e/http_peer.h"
#include "../e2e/server_process.h"

namespace birthmark::e2e {

class ApiServer {
 public:
  explicit ApiServer(Factory::Pki pki = Factory::Pki::yes);

  [[nodiscard]] const Factory& factory() const { return factory_; }
  [[nodiscard]] std::string url() const { return "http://127.0.0.1:" + std::to_string(server_->port("api")); }
  [[nodiscard]] ServerProcess& process() { return *server_; }
  void serve(std::vector<std::string> listen);
  // In a file of mode 0600.
  [[nodiscard]] std::filesystem::path make_token(const std::string& scopes);

  [[nodiscard]] Answer ask(const std::string& method, const std::string& path, const std::string& body = {});
  [[nodiscard]] Answer ask_as(const std::string& token, const std::string& method, const std::string& path, const std::string& body = {});
  [[nodiscard]] Answer certs() { return ask("GET", "/ota/factories/acme/certs/"); }
  // `birthmark ca ARGUMENTS... --api ...`, as the PKI's owner.
  [[nodiscard]] Outcome ca(Arguments arguments) const;
  [[nodiscard]] std::filesystem::path owner() const { return factory_.scratch() / "owner"; }

  // What curl says of GET /device at the gateway with these: the status, 0 when the handshake failed.
  [[nodiscard]] int visit_gateway(const std::string& certificate_pem, const std::string& key_pem, const std::filesystem::path& root);
  // The certificate that the gateway shows, PEM.
  [[nodiscard]] std::string gateway_certificate(const std::string& server_name);

 private:
  Factory factory_;
  std::unique_ptr<ServerProcess> server_;
  std::filesystem::path token_file_;
  std::string token_;
  int files_ = 0;
};

}  // namespace birthmark::e2e
