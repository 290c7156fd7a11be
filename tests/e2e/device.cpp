// SPDX-License-Identifier: Apache-2.0
#include "device.h"

#include <fstream>

#include "base/pem.h"
#include "base/text.h"
#include "child_process.h"
#include "crypto/csr_builder.h"
#include "crypto/x509_codec.h"

namespace birthmark::e2e {
namespace {

template <class T>
T must(Result<T> result) {
  require(result.has_value(), result ? std::string() : result.error().describe());
  return std::move(*result);
}

}  // namespace

std::string random_uuid() {
  static const auto random = crypto::make_system_random();
  Uuid uuid{};
  require(random->fill(uuid).has_value(), "no random numbers");
  return format_uuid(uuid);
}

Device Device::make(std::string uuid, const std::string& factory, bool production) {
  Device device{std::move(uuid), must(crypto::PrivateKey::generate_p256()), {}};
  crypto::CsrSubject subject;
  subject.common_name = device.uuid;
  subject.organizational_unit = factory;
  subject.production = production;
  subject.device_extensions = true;
  device.csr = must(crypto::make_csr_pem(device.key, subject));
  return device;
}

boost::json::object request_with(std::string_view csr) {
  boost::json::object body;
  body["use-ostree-server"] = "true";
  body["sota-config-dir"] = "/var/sota";
  body["hardware-id"] = "intel-corei7-64";
  body["csr"] = csr;
  body["overrides"] = boost::json::object{{"pacman", boost::json::object{{"tags", "\"main\""}}}};
  return body;
}

boost::json::object Device::request() const {
  boost::json::object body = request_with(csr);
  body["uuid"] = uuid;
  body["name"] = uuid;
  return body;
}

std::string serial_of(std::string_view certificate_pem) {
  static const auto codec = must(crypto::make_x509_codec());
  const auto block = must(decode_first_pem(certificate_pem));
  const auto facts = must(codec->read_certificate(block.contents));
  const std::string hex = to_hex(facts.serial);
  const std::size_t first = hex.find_first_not_of('0');
  return first == std::string::npos ? "0" : hex.substr(first - first % 2);
}

}  // namespace birthmark::e2e
