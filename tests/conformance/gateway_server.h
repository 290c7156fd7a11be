// SPDX-License-Identifier: Apache-2.0
// A running gateway with its factory, and devices that ask it through curl.
#pragma once

#include <boost/json.hpp>
#include <memory>
#include <string>
#include <vector>

#include "../e2e/device.h"
#include "../e2e/http_peer.h"
#include "../e2e/server_process.h"
#include "test_certificates.h"

namespace birthmark::conformance {

using e2e::Answer;

// A device's certificate and key, in files for curl.
struct GatewayDevice {
  std::string uuid;
  testing::TestCertificate certificate;
  std::string certificate_file;
  std::string key_file;
  std::string request_base64;  // of its certificate request, when it asks for one
};

class GatewayServer {
 public:
  // `settings`: lines for the [gateway] section.
  explicit GatewayServer(const std::string& settings = {});

  [[nodiscard]] const e2e::Factory& factory() const { return factory_; }
  [[nodiscard]] e2e::ServerProcess& process() const { return *server_; }
  [[nodiscard]] const testing::TestCertificate& local_ca() const { return local_ca_; }
  [[nodiscard]] const testing::TestCertificate& root() const { return root_; }

  // A device that was made elsewhere: with openssl and the local CA's key.
  [[nodiscard]] GatewayDevice make_device(const std::string& uuid = e2e::random_uuid());
  // One that registers here, through POST /sign.
  [[nodiscard]] GatewayDevice register_device();
  void keep(GatewayDevice& device);

  // Status 0: no HTTP answer at all. Safe to call from threads of a test.
  [[nodiscard]] Answer get(const GatewayDevice& device, const std::string& path, const std::vector<std::string>& headers = {},
                           const std::vector<std::string>& more = {}) const;
  [[nodiscard]] Answer send(const GatewayDevice& device, const std::string& method, const std::string& path, const std::string& body,
                            const std::vector<std::string>& headers = {}) const;
  // The client sends its CA's certificate too.
  [[nodiscard]] Answer get_with_chain(const GatewayDevice& device, const std::string& path) const;

  // The same device with a new key, and its request for a certificate.
  [[nodiscard]] GatewayDevice request_renewal(const GatewayDevice& device);
  [[nodiscard]] Answer renew(const GatewayDevice& device, const GatewayDevice& next, const std::string& label) const;
  // The certificate out of an EST answer, read by openssl.
  void take_certificate(GatewayDevice& next, const Answer& answer);

  [[nodiscard]] std::string status_of(const GatewayDevice& device) const;
  [[nodiscard]] int count(const std::string& id) const;

 private:
  [[nodiscard]] Answer curl(const GatewayDevice& device, const std::string& path, const std::vector<std::string>& more) const;

  e2e::Factory factory_;
  std::unique_ptr<e2e::ServerProcess> server_;
  testing::TestCertificate local_ca_;
  testing::TestCertificate root_;
};

}  // namespace birthmark::conformance
