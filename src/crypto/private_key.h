// SPDX-License-Identifier: Apache-2.0
// Private keys in files: made, read and written in the form that every tool of the field reads (one SEC1 "EC PRIVATE KEY" block for EC).
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "base/ids.h"
#include "base/result.h"
#include "core/ports/signer.h"
#include "crypto/openssl.h"

namespace birthmark::crypto {

class PrivateKey {
 public:
  [[nodiscard]] static Result<PrivateKey> generate_p256();
  // SEC1 (also behind an EC PARAMETERS block) or PKCS#8, unencrypted; EC P-256/384/521 or RSA.
  [[nodiscard]] static Result<PrivateKey> from_pem(std::string_view pem);
  // Reads a key file; an error names the path. Refuses a file that group or others can read.
  [[nodiscard]] static Result<PrivateKey> load(const std::filesystem::path& path);

  // A key that is kept elsewhere (crypto/pkcs11): `signing` signs by asking for it, `public_half` is a plain key of OpenSSL's own.
  [[nodiscard]] static Result<PrivateKey> behind(EVP_PKEY* signing, EVP_PKEY* public_half);

  // One SEC1 block for EC, PKCS#8 for RSA. An error for a key that is kept elsewhere.
  [[nodiscard]] Result<std::string> to_pem() const;
  [[nodiscard]] Result<Bytes> spki_der() const;
  [[nodiscard]] SpkiHash spki_sha256() const { return spki_sha256_; }
  [[nodiscard]] core::SignatureScheme default_scheme() const { return scheme_; }
  [[nodiscard]] Result<Bytes> sign(core::SignatureScheme scheme, ByteView message) const;
  // For signing with OpenSSL's own functions.
  [[nodiscard]] EVP_PKEY* get() const { return key_.get(); }
  // For everything that needs the public half only.
  [[nodiscard]] EVP_PKEY* public_half() const { return public_half_ ? public_half_.get() : key_.get(); }

 private:
  [[nodiscard]] static Result<PrivateKey> adopt(PkeyHandle key);
  PrivateKey(PkeyHandle key, SpkiHash spki, core::SignatureScheme scheme) : key_(std::move(key)), spki_sha256_(spki), scheme_(scheme) {}
  PkeyHandle key_;
  PkeyHandle public_half_;  // null: key_ has it
  SpkiHash spki_sha256_;
  core::SignatureScheme scheme_;
};

// A Signer over a key held in memory. One signing context per thread, so that threads do not share locks.
[[nodiscard]] std::shared_ptr<core::Signer> make_file_signer(PrivateKey key);

}  // namespace birthmark::crypto
