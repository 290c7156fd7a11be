// SPDX-License-Identifier: Apache-2.0
#include "pep_server.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>

namespace birthmark::pep {
namespace {

constexpr const char* kFcu = R"(
[fcu]
manufacturer = "Acme"
model_number = "EG-1"
device_type = "Edge GW"
hardware_version = "1.0"
memory_total_kb = 1048576
vendor_id = "53a9e0b0-1111-4c4c-9a9a-000102030405"
class_id = "53a9e0b0-2222-4c4c-9a9a-000102030405"
subject = ["C=FI", "O=Acme"]
update_certificate = "update-auth-certificate.der"
)";

}  // namespace

PepServer::PepServer(const std::string& pep, const std::string& fcu) {
  const auto directory = factory_.directory();
  const auto made = factory_.birthmark({"ca", "add-device-ca", factory_.pki().string(), "--profile", "pep"});
  e2e::require(made.exit_code == 0, made.errors);
  factory_.command({"pep", "install-ca", (factory_.pki() / "pep-ca.key").string(), (factory_.pki() / "pep-ca.pem").string()});
  const auto update = factory_.birthmark({"pep", "test-update-certificate", directory.string()});
  e2e::require(update.exit_code == 0, update.errors);
  // Any P-256 CA will do for the bootstrap server's.
  factory_.configure("pep", std::string("bootstrap_server_ca = \"pki/pep-ca.pem\"\nconnect_timeout = \"1s\"\n") +
                                (pep.find("fcc_timeout") == std::string::npos ? "fcc_timeout = \"20s\"\n" : "") + pep);
  const auto path = directory / "birthmark.toml";
  e2e::write_text(path, e2e::read_text(path) + kFcu + fcu);
}

void PepServer::start(const std::vector<std::string>& environment) {
  e2e::ServerProcess::Options options;
  options.listen = {"pep=127.0.0.1:0"};
  options.environment = environment;
  server_ = factory_.serve(options);
}

void PepServer::stop() {
  EXPECT_EQ(server_->stop(), 0);
  server_.reset();
}

e2e::Answer PepServer::get(const std::string& target) const {
  const auto answer = e2e::ask(port(), "GET " + target + " HTTP/1.1\r\nHost: pep\r\nConnection: close\r\n\r\n");
  e2e::require(answer.has_value(), "no whole answer to GET " + target);
  return *answer;
}

std::string identity_target(const std::string& serial, std::uint16_t fcc_port, const std::string& more) {
  return "/v3/identity?&hardwareVersion=izuma-edge-gateway&radioConfig=00&ledConfig=01&category=production&ip=127.0.0.1&port=" +
         std::to_string(fcc_port) + "&serialNumber=" + serial +
         "&apiAddress=https%3A%2F%2Fapi.example&gatewayServicesAddress=https%3A%2F%2Fgateways.example" + more;
}

e2e::Answer PepServer::provision(const std::string& serial, std::uint16_t fcc_port, const std::string& more) const {
  return get(identity_target(serial, fcc_port, more));
}

std::string PepServer::enrollment_id(const std::string& serial) const {
  return get("/v3/enrollment-id?serialNumber=" + serial).body;
}

std::string PepServer::status_of(const std::string& serial) const {
  const std::string rows = factory_.command({"device", "list", "--ecosystem", "izuma", "--format", "json"});
  std::size_t at = 0;
  while (at < rows.size()) {
    const std::size_t end = std::min(rows.find('\n', at), rows.size());
    const auto row = boost::json::parse(rows.substr(at, end - at)).as_object();
    if (row.at("id").as_string() == serial) return std::string(row.at("status").as_string());
    at = end + 1;
  }
  return {};
}

}  // namespace birthmark::pep
