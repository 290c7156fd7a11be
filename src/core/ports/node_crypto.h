// SPDX-License-Identifier: Apache-2.0
// Port: what EVE's protocol asks of cryptography beyond X.509. Adapter: crypto/node_crypto. Safe from every thread.
#pragma once

#include <string>

#include "base/bytes.h"
#include "base/result.h"

namespace birthmark::core {

class NodeCrypto {
 public:
  virtual ~NodeCrypto() = default;

  // ECDSA over SHA-256 of `message` by the P-256 or P-384 key in `spki_der`; `raw` is r then s, exactly as long as twice the curve.
  [[nodiscard]] virtual bool verify_raw(ByteView spki_der, ByteView message, ByteView raw) const = 0;
  // The same with the DER form of a signature, which TPM quotes have.
  [[nodiscard]] virtual bool verify_der(ByteView spki_der, ByteView message, ByteView der) const = 0;

  // What must not lie open in the database (disk keys of nodes), sealed for `label`; open() fails when anything of it was changed.
  [[nodiscard]] virtual Result<Bytes> seal(ByteView secret, std::string_view label) const = 0;
  [[nodiscard]] virtual Result<Bytes> open(ByteView sealed, std::string_view label) const = 0;
};

}  // namespace birthmark::core
