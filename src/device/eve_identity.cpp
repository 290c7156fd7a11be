// SPDX-License-Identifier: Apache-2.0
#include "device/eve_identity.h"

#include "base/crash_point.h"
#include "base/file.h"
#include "crypto/pki/profiles.h"
#include "device/config_file.h"

namespace birthmark::device {
namespace {

bool is_there(const std::filesystem::path& path) {
  std::error_code failure;
  return std::filesystem::exists(path, failure);
}

}  // namespace

bool EveConfigDirectory::is_pending() const {
  return is_there(file(kPendingFile));
}

Result<crypto::PrivateKey> EveConfigDirectory::load_or_make_key() const {
  const auto path = file(kDeviceKeyFile);
  auto key = read_config_key(path);
  if (key || key.error().code != ErrorCode::not_found) return key;
  BIRTHMARK_TRY(auto made, crypto::PrivateKey::generate_p256());
  BIRTHMARK_TRY(const std::string pem, made.to_pem());
  BIRTHMARK_CRASH_POINT("device.before_key");
  BIRTHMARK_CHECK(write_config_file(path, pem, Secrecy::secret));
  BIRTHMARK_CRASH_POINT("device.after_key");
  return made;
}

Result<EveIdentity> EveConfigDirectory::identity(core::Random& random, Instant now) const {
  const auto path = file(kDeviceCertificateFile);
  if (is_there(path)) {
    if (!is_there(file(kDeviceKeyFile)))
      return fail(ErrorCode::misconfigured,
                  path.string() + " is there and " + kDeviceKeyFile + " is not: the key is in a TPM, which this agent does not use yet");
    BIRTHMARK_TRY(auto key, read_config_key(file(kDeviceKeyFile)));
    BIRTHMARK_TRY(const std::string pem, read_file(path));
    auto certificate = crypto::Certificate::from_pem(pem);
    if (!certificate) return fail(ErrorCode::misconfigured, path.string() + ": " + certificate.error().public_message);
    if (certificate->spki_sha256() != key.spki_sha256())
      return fail(ErrorCode::misconfigured, path.string() + " is not for the key in " + kDeviceKeyFile + "; neither is touched");
    return EveIdentity{std::move(*certificate), std::move(key)};
  }
  BIRTHMARK_CRASH_POINT("device.before_pending");
  if (!is_pending()) BIRTHMARK_CHECK(write_config_file(file(kPendingFile), {}, Secrecy::open));
  BIRTHMARK_CRASH_POINT("device.after_pending");
  BIRTHMARK_TRY(auto key, load_or_make_key());
  BIRTHMARK_TRY(const auto made, crypto::make_eve_device_certificate(key, random, now));
  BIRTHMARK_CHECK(write_config_file(path, made.pem(), Secrecy::open));
  BIRTHMARK_CRASH_POINT("device.after_certificate");
  BIRTHMARK_TRY(auto certificate, crypto::Certificate::from_der(made.der()));
  return EveIdentity{std::move(certificate), std::move(key)};
}

Status EveConfigDirectory::remove_pending() const {
  BIRTHMARK_CRASH_POINT("device.before_accepted");
  std::error_code failure;
  std::filesystem::remove(file(kPendingFile), failure);
  if (failure) return fail(ErrorCode::misconfigured, "cannot remove " + file(kPendingFile).string() + ": " + failure.message());
  BIRTHMARK_CHECK(sync_directory(path_));
  BIRTHMARK_CRASH_POINT("device.after_accepted");
  return {};
}

Status EveConfigDirectory::write_uuid(const std::string& uuid) const {
  return write_config_file(file("uuid"), uuid + "\n", Secrecy::open);
}

}  // namespace birthmark::device
