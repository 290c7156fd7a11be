// SPDX-License-Identifier: Apache-2.0
// The identifier octets of X.680/X.690 that X.509 uses, by name. Shared by the DER reader and the DER writer.
#pragma once

#include <cstdint>

namespace birthmark::crypto::der {

using Tag = std::uint8_t;

inline constexpr Tag kBoolean = 0x01;
inline constexpr Tag kInteger = 0x02;
inline constexpr Tag kBitString = 0x03;
inline constexpr Tag kOctetString = 0x04;
inline constexpr Tag kNull = 0x05;
inline constexpr Tag kObjectIdentifier = 0x06;
inline constexpr Tag kUtf8String = 0x0c;
inline constexpr Tag kPrintableString = 0x13;
inline constexpr Tag kIa5String = 0x16;
inline constexpr Tag kUtcTime = 0x17;
inline constexpr Tag kGeneralizedTime = 0x18;
inline constexpr Tag kSequence = 0x30;
inline constexpr Tag kSet = 0x31;

inline constexpr Tag context_constructed(unsigned number) {
  return static_cast<Tag>(0xa0U | number);
}
inline constexpr Tag context_primitive(unsigned number) {
  return static_cast<Tag>(0x80U | number);
}

}  // namespace birthmark::crypto::der
