// SPDX-License-Identifier: Apache-2.0
// Public keys in files of another system: any bytes are a key that reads the same again, or an error.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/pem.h"
#include "crypto/public_key.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace birthmark;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const bool allow_rsa : {false, true}) {
    const auto key = crypto::read_public_key_pem(text, allow_rsa);
    if (!key) continue;
    const auto again = crypto::read_public_key_pem(encode_pem("PUBLIC KEY", key->spki_der), allow_rsa);
    BIRTHMARK_ASSERT(again.has_value() && again->spki_sha256 == key->spki_sha256);
  }
  return 0;
}
