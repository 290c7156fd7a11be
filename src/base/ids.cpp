// SPDX-License-Identifier: Apache-2.0
#include "base/ids.h"

#include "base/text.h"

namespace birthmark {

Result<Serial> Serial::from_magnitude(ByteView big_endian) {
  while (!big_endian.empty() && big_endian.front() == 0) big_endian = big_endian.subspan(1);
  if (big_endian.empty()) return fail(ErrorCode::invalid, "a serial number must be positive");
  const bool needs_pad = (big_endian.front() & 0x80U) != 0;
  if (big_endian.size() + (needs_pad ? 1 : 0) > kMaxOctets) return fail(ErrorCode::invalid, "a serial number has at most 20 octets");
  Serial serial;
  std::copy(big_endian.begin(), big_endian.end(), serial.octets_.begin());
  serial.size_ = static_cast<std::uint8_t>(big_endian.size());
  return serial;
}

Bytes Serial::der_contents() const {
  Bytes contents;
  if (size_ > 0 && (octets_[0] & 0x80U) != 0) contents.push_back(0);
  append(contents, magnitude());
  return contents;
}

std::string Serial::hex() const {
  return to_hex(magnitude());
}

}  // namespace birthmark
