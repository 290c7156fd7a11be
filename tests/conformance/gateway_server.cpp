// SPDX-License-Identifier: Apache-2.0
#include "gateway_server.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <charconv>

#include "base/pem.h"
#include "base/text.h"

namespace birthmark::conformance {
namespace {

constexpr const char* kName = "x.ota-lite.example";

testing::TestCertificate read_authority(const std::filesystem::path& certificate, const std::filesystem::path& key) {
  testing::TestCertificate authority;
  authority.pem = e2e::read_text(certificate);
  const auto block = decode_first_pem(authority.pem);
  e2e::require(block.has_value(), certificate.string());
  authority.der = block->contents;
  authority.key_pem = e2e::read_text(key);
  return authority;
}

// What curl --include wrote: perhaps an interim answer, then the head and the body.
Answer read_answer(const std::string& text) {
  Answer answer;
  std::size_t begin = 0, head_end = 0;
  do {
    head_end = text.find("\r\n\r\n", begin);
    if (head_end == std::string::npos) return answer;
    const std::size_t space = text.find(' ', begin);
    std::from_chars(text.data() + space + 1, text.data() + text.size(), answer.status);
    answer.headers.clear();
    std::size_t line = text.find("\r\n", begin) + 2;
    while (line < head_end + 2) {
      const std::size_t end = text.find("\r\n", line), colon = text.find(": ", line);
      if (colon < end) answer.headers[to_lower(text.substr(line, colon - line))] = text.substr(colon + 2, end - colon - 2);
      line = end + 2;
    }
    begin = head_end + 4;
  } while (answer.status < 200);
  answer.body = text.substr(begin);
  return answer;
}

}  // namespace

GatewayServer::GatewayServer(const std::string& settings) {
  if (!settings.empty()) factory_.configure("gateway", settings);
  e2e::ServerProcess::Options options;
  options.listen = {"registration=127.0.0.1:0", "gateway=127.0.0.1:0"};
  server_ = factory_.serve(options);
  local_ca_ = read_authority(factory_.pki() / "local-ca.pem", factory_.pki() / "local-ca.key");
  root_ = read_authority(factory_.pki() / "factory_ca.pem", factory_.pki() / "factory_ca.key");
}

void GatewayServer::keep(GatewayDevice& device) {
  static std::atomic<int> number = 0;
  const std::string name = "device" + std::to_string(++number);
  device.certificate_file = factory_.scratch() / (name + ".pem");
  device.key_file = factory_.scratch() / (name + ".key");
  e2e::write_text(device.certificate_file, device.certificate.pem);
  e2e::write_text(device.key_file, device.certificate.key_pem);
}

GatewayDevice GatewayServer::make_device(const std::string& uuid) {
  GatewayDevice device;
  device.uuid = uuid;
  device.certificate = testing::make_certificate(testing::device_spec(uuid, "acme"), &local_ca_);
  keep(device);
  return device;
}

GatewayDevice GatewayServer::register_device() {
  const e2e::Device asking = e2e::Device::make();
  const auto answer = e2e::post_sign(server_->port(), asking.body());
  e2e::require(answer.has_value() && answer->status == 201, "registration failed");
  GatewayDevice device;
  device.uuid = asking.uuid;
  device.certificate.pem = answer->member("client.pem");
  const auto key = asking.key.to_pem();
  e2e::require(key.has_value(), "key");
  device.certificate.key_pem = *key;
  keep(device);
  return device;
}

Answer GatewayServer::curl(const GatewayDevice& device, const std::string& path, const std::vector<std::string>& more) const {
  const std::string port = std::to_string(server_->port("gateway"));
  e2e::Arguments arguments{"curl",
                           "--silent",
                           "--include",
                           "--max-time",
                           "30",
                           "--cacert",
                           factory_.pki() / "factory_ca.pem",
                           "--resolve",
                           std::string(kName) + ":" + port + ":127.0.0.1"};
  if (!device.certificate_file.empty()) arguments.insert(arguments.end(), {"--cert", device.certificate_file, "--key", device.key_file});
  arguments.insert(arguments.end(), more.begin(), more.end());
  arguments.push_back("https://" + std::string(kName) + ":" + port + path);
  return read_answer(e2e::run(arguments).output);
}

Answer GatewayServer::get(const GatewayDevice& device, const std::string& path, const std::vector<std::string>& headers,
                          const std::vector<std::string>& more) const {
  std::vector<std::string> arguments(more);
  for (const std::string& header : headers) arguments.insert(arguments.end(), {"--header", header});
  return curl(device, path, arguments);
}

Answer GatewayServer::send(const GatewayDevice& device, const std::string& method, const std::string& path, const std::string& body,
                           const std::vector<std::string>& headers) const {
  static std::atomic<int> number = 0;
  const std::filesystem::path file = factory_.scratch() / ("body" + std::to_string(++number));
  e2e::write_text(file, body);
  std::vector<std::string> arguments{"--request", method, "--data-binary", "@" + file.string()};
  const bool typed =
      std::any_of(headers.begin(), headers.end(), [](const std::string& header) { return header.starts_with("Content-Type"); });
  if (!typed) arguments.insert(arguments.end(), {"--header", "Content-Type: application/json"});
  for (const std::string& header : headers) arguments.insert(arguments.end(), {"--header", header});
  return curl(device, path, arguments);
}

Answer GatewayServer::get_with_chain(const GatewayDevice& device, const std::string& path) const {
  GatewayDevice chained = device;
  chained.certificate_file += ".chained";
  e2e::write_text(chained.certificate_file, device.certificate.pem + local_ca_.pem);
  return curl(chained, path, {});
}

GatewayDevice GatewayServer::request_renewal(const GatewayDevice& device) {
  const e2e::Device asking = e2e::Device::make(device.uuid);
  GatewayDevice next;
  next.uuid = device.uuid;
  const auto key = asking.key.to_pem();
  const auto request = decode_first_pem(asking.csr);
  e2e::require(key && request, "a certificate request");
  next.certificate.key_pem = *key;
  next.request_base64 = to_base64(request->contents);
  return next;
}

Answer GatewayServer::renew(const GatewayDevice& device, const GatewayDevice& next, const std::string& label) const {
  return send(device, "POST", "/.well-known/est/" + label + "simplereenroll", next.request_base64, {"Content-Type: application/pkcs10"});
}

void GatewayServer::take_certificate(GatewayDevice& next, const Answer& answer) {
  const auto bundle = from_base64(std::string_view(answer.body).substr(0, answer.body.find_last_not_of("\r\n") + 1));
  e2e::require(bundle.has_value(), "an EST answer that is not base64: " + answer.body);
  const std::filesystem::path file = factory_.scratch() / "est.p7";
  e2e::write_text(file, as_text(*bundle));
  const auto read = e2e::run({"openssl", "pkcs7", "-inform", "DER", "-in", file, "-print_certs"});
  e2e::require(read.exit_code == 0, read.errors);
  next.certificate.pem = read.output;
  keep(next);
}

std::string GatewayServer::status_of(const GatewayDevice& device) const {
  return factory_.command({"device", "list", "--id-prefix", device.uuid, "--format", "json"}).find("\"active\"") != std::string::npos
             ? "active"
             : "";
}

int GatewayServer::count(const std::string& id) const {
  const std::string rows = factory_.command({"device", "list", "--format", "json"});
  int found = 0;
  for (std::size_t at = rows.find("\"" + id + "\""); at != std::string::npos; at = rows.find("\"id\":\"" + id + "\"", at + 1)) ++found;
  return found;
}

}  // namespace birthmark::conformance
