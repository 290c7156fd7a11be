// SPDX-License-Identifier: Apache-2.0
// A signature that lies beside what it signs: CMS SignedData without the content (RFC 5652 5), as `openssl cms -verify -content` reads it.
// What is signed may be larger than memory.
#pragma once

#include <memory>
#include <string>

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/pki/certificate.h"
#include "crypto/private_key.h"

namespace birthmark::crypto {

class DetachedSignature {
 public:
  // The certificate goes into the signature, and must be the key's.
  [[nodiscard]] static Result<DetachedSignature> begin(const Certificate& signer, const PrivateKey& key);
  DetachedSignature(DetachedSignature&&) noexcept;
  DetachedSignature& operator=(DetachedSignature&&) noexcept;
  ~DetachedSignature();

  [[nodiscard]] Status update(ByteView piece);
  // One CMS block. The last call.
  [[nodiscard]] Result<std::string> finish_pem();

 private:
  struct State;
  explicit DetachedSignature(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace birthmark::crypto
