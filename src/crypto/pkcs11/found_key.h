// SPDX-License-Identifier: Apache-2.0
// What is known of a key in a token. Without PKCS#11's own header, which stays in this folder's inside.
#pragma once

#include <memory>
#include <string>

#include "base/bytes.h"
#include "base/ids.h"
#include "core/certificate.h"
#include "crypto/openssl.h"

namespace birthmark::crypto::pkcs11 {

// A key pair as it was found, checked: it signs, cannot leave the token, and its public half is sound.
struct FoundKey {
  unsigned long handle = 0;  // CK_OBJECT_HANDLE
  std::string label;
  Bytes id;
  core::SignatureScheme scheme = core::SignatureScheme::ecdsa_sha256;
  std::shared_ptr<EVP_PKEY> public_half;  // a plain key of OpenSSL's own
  Bytes spki;
  SpkiHash spki_sha256;
};

}  // namespace birthmark::crypto::pkcs11
