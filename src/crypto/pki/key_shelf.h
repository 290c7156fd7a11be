// SPDX-License-Identifier: Apache-2.0
// The private keys that a server holds: DIR/keys/*.key. Makes keys for requests (0600, durable before anybody sees the request) and never
// takes one away. A key whose certificate has not come yet is a pending one; which those are, the registry's certificates tell.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "crypto/private_key.h"

namespace birthmark::crypto {

// What a server's key is for: the first part of its file's name ("tls.key", "tls-3f09c1d2.key").
enum class KeyPurpose { tls, online_ca, est_tls };
[[nodiscard]] std::string_view to_string(KeyPurpose purpose);
[[nodiscard]] bool has_purpose(std::string_view file_name, KeyPurpose purpose);

struct HeldKey {
  std::string file_name;
  SpkiHash spki;
};

class KeyShelf {
 public:
  explicit KeyShelf(std::filesystem::path directory) : directory_(std::move(directory)) {}
  // By name. Files that are no keys, or that others may read, are passed over.
  [[nodiscard]] std::vector<HeldKey> held() const;
  [[nodiscard]] Result<PrivateKey> load(const std::string& file_name) const;
  // A new P-256 key, 0600.
  [[nodiscard]] Result<PrivateKey> make(KeyPurpose purpose);
  // 0400; the same key under that name already is fine, another one is a conflict.
  [[nodiscard]] Status keep(const std::string& file_name, const std::string& pem);
  // The file that holds the private key of `spki`; misconfigured when there is none.
  [[nodiscard]] Result<std::string> file_of(const SpkiHash& spki) const;

 private:
  const std::filesystem::path directory_;  // DIR/keys
};

}  // namespace birthmark::crypto
