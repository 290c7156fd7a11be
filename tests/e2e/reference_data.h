// SPDX-License-Identifier: Apache-2.0
// A factory-registration-ref data directory as that server leaves it: certs/, devices/ with one public key a file, fio-api-token.
#pragma once

#include <filesystem>
#include <string>

#include "device.h"

namespace birthmark::e2e {

class ReferenceData {
 public:
  // Certificates of a PKI made by the openssl program for `factory`, its local CA as the reference's own tests make theirs: no subject key
  // identifier, clientAuth beside keyCertSign (protocol facts, Foundries 4.7). tls-crt names example.com.
  ReferenceData(std::filesystem::path directory, const std::string& factory);

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  [[nodiscard]] std::filesystem::path certificates() const { return path_ / "certs"; }
  [[nodiscard]] std::filesystem::path devices() const { return path_ / "devices"; }
  void log(const Device& device) const;
  void log(const std::string& name, const std::string& contents) const;

 private:
  std::filesystem::path path_;
};

[[nodiscard]] std::string public_key_pem(const crypto::PrivateKey& key);

}  // namespace birthmark::e2e
