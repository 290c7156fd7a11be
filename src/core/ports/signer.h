// SPDX-License-Identifier: Apache-2.0
// Port: one private key that signs. Adapters: crypto/file_signer (a key in a file), later a PKCS#11 token. Safe to call from every thread.
#pragma once

#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"
#include "base/task.h"
#include "core/certificate.h"

namespace birthmark::core {

class Signer {
 public:
  virtual ~Signer() = default;
  // The DER signature over `message` (the message, never a digest).
  [[nodiscard]] virtual Task<Result<Bytes>> sign(SignatureScheme scheme, ByteView message) = 0;
  // Which certificate this key belongs to.
  [[nodiscard]] virtual SpkiHash spki_sha256() const = 0;
  [[nodiscard]] virtual SignatureScheme default_scheme() const = 0;
};

}  // namespace birthmark::core
