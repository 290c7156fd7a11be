// SPDX-License-Identifier: Apache-2.0
// Anything as an encrypted value for keys on the three curves: refused or decrypted, never more.
#include <array>

#include "crypto/ecies.h"

namespace crypto = birthmark::crypto;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const std::array<crypto::PkeyHandle, 3> keys{crypto::PkeyHandle(EVP_EC_gen("P-256")), crypto::PkeyHandle(EVP_EC_gen("P-384")),
                                                      crypto::PkeyHandle(EVP_EC_gen("P-521"))};
  for (const auto& key : keys) static_cast<void>(crypto::ecies_decrypt(key.get(), {data, size}));
  return 0;
}
