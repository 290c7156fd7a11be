// SPDX-License-Identifier: Apache-2.0
// The device's key and certificate in EVE's /config, and the file that says that registration is under way. One key for ever: whatever
// moment the power goes, the next start goes on with what is on disk (protocol facts, EVE 4.4).
#pragma once

#include <filesystem>

#include "base/result.h"
#include "crypto/pki/certificate.h"
#include "crypto/private_key.h"
#include "crypto/x509_codec.h"

namespace birthmark::device {

struct EveIdentity {
  crypto::Certificate certificate;
  crypto::PrivateKey key;
};

class EveConfigDirectory {
 public:
  explicit EveConfigDirectory(std::filesystem::path path) : path_(std::move(path)) {}

  [[nodiscard]] std::filesystem::path file(const char* name) const { return path_ / name; }
  [[nodiscard]] bool is_pending() const;
  // The pair that is there, or one made now: `self-register-pending` is on disk before a key is, and the key before its certificate.
  // misconfigured when what is there cannot be used: it is never overwritten.
  [[nodiscard]] Result<EveIdentity> identity(core::Random& random, Instant now) const;
  // The registration is accepted.
  [[nodiscard]] Status remove_pending() const;
  [[nodiscard]] Status write_uuid(const std::string& uuid) const;

 private:
  [[nodiscard]] Result<crypto::PrivateKey> load_or_make_key() const;

  const std::filesystem::path path_;
};

inline constexpr const char* kPendingFile = "self-register-pending";
inline constexpr const char* kDeviceKeyFile = "device.key.pem";
inline constexpr const char* kDeviceCertificateFile = "device.cert.pem";

}  // namespace birthmark::device
