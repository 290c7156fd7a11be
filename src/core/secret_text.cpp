// SPDX-License-Identifier: Apache-2.0
#include "core/secret_text.h"

#include <array>

#include "base/text.h"

namespace birthmark::core {

Result<NewSecret> make_secret(std::string_view prefix, const X509Codec& codec, Random& random) {
  std::array<std::uint8_t, 32> octets{};
  BIRTHMARK_CHECK(random.fill(octets));
  NewSecret made;
  made.text = std::string(prefix) + to_hex(octets);
  made.hash = codec.sha256(as_bytes(made.text));
  return made;
}

bool equal_in_constant_time(const Sha256Digest& a, const Sha256Digest& b) {
  unsigned difference = 0;
  for (std::size_t i = 0; i < a.octets.size(); ++i) difference |= static_cast<unsigned>(a.octets[i] ^ b.octets[i]);
  return difference == 0;
}

}  // namespace birthmark::core
