// SPDX-License-Identifier: Apache-2.0
// Devices that ask as lmp-device-register does: a key, a CSR, a request body. And what a test reads in the certificates they get.
#pragma once

#include <boost/json.hpp>
#include <cstdint>
#include <string>
#include <string_view>

#include "crypto/private_key.h"

namespace birthmark::e2e {

[[nodiscard]] std::string random_uuid();

struct Device {
  std::string uuid;
  crypto::PrivateKey key;
  std::string csr;

  // A fresh key; a fresh UUID too unless one is given.
  [[nodiscard]] static Device make(std::string uuid = random_uuid(), const std::string& factory = "acme", bool production = false);
  // The members that every client sends; a test changes what it is about.
  [[nodiscard]] boost::json::object request() const;
  [[nodiscard]] std::string body() const { return boost::json::serialize(request()); }
};

// A body around a CSR of elsewhere.
[[nodiscard]] boost::json::object request_with(std::string_view csr);

// Of a PEM certificate: its serial number in lower-case hex without leading zeros, as `birthmark device` prints it.
[[nodiscard]] std::string serial_of(std::string_view certificate_pem);

}  // namespace birthmark::e2e
