// SPDX-License-Identifier: Apache-2.0
// Writes DER: a tag, the shortest definite length (X.690 10.1), the contents. Callers compose values from the inside out; nothing here
// knows a size limit or the meaning of what it writes.
#pragma once

#include <cstddef>
#include <initializer_list>

#include "base/bytes.h"
#include "crypto/der_tags.h"

namespace birthmark::crypto::der {

[[nodiscard]] inline std::size_t header_size(std::size_t contents_size) {
  std::size_t octets = 2;
  if (contents_size < 0x80) return octets;
  for (std::size_t rest = contents_size; rest != 0; rest >>= 8U) ++octets;
  return octets;
}

inline void append_header(Bytes& to, Tag tag, std::size_t contents_size) {
  to.push_back(tag);
  if (contents_size < 0x80) {
    to.push_back(static_cast<std::uint8_t>(contents_size));
    return;
  }
  const std::size_t length_octets = header_size(contents_size) - 2;
  to.push_back(static_cast<std::uint8_t>(0x80U | length_octets));
  for (std::size_t i = length_octets; i > 0; --i) to.push_back(static_cast<std::uint8_t>(contents_size >> (8U * (i - 1))));
}

// One value whose contents are the parts, one after the other.
inline void append_value(Bytes& to, Tag tag, std::initializer_list<ByteView> parts) {
  std::size_t contents_size = 0;
  for (const ByteView part : parts) contents_size += part.size();
  to.reserve(to.size() + header_size(contents_size) + contents_size);
  append_header(to, tag, contents_size);
  for (const ByteView part : parts) append(to, part);
}

[[nodiscard]] inline Bytes value(Tag tag, std::initializer_list<ByteView> parts) {
  Bytes made;
  append_value(made, tag, parts);
  return made;
}

// A BIT STRING of whole octets.
inline void append_bit_string(Bytes& to, ByteView octets) {
  static constexpr std::uint8_t kNoUnusedBits[] = {0};
  append_value(to, kBitString, {kNoUnusedBits, octets});
}

}  // namespace birthmark::crypto::der
