// SPDX-License-Identifier: Apache-2.0
// Contents octets of the OBJECT IDENTIFIERs that this room reads and writes, each with where it comes from.
#pragma once

#include <array>
#include <cstdint>

namespace birthmark::crypto::oid {

template <class... Octet>
constexpr std::array<std::uint8_t, sizeof...(Octet)> octets(Octet... octet) {
  return {static_cast<std::uint8_t>(octet)...};
}

// Attribute types, RFC 5280 appendix A.1 and X.520.
inline constexpr auto kCommonName = octets(0x55, 0x04, 0x03);
inline constexpr auto kOrganizationalUnit = octets(0x55, 0x04, 0x0b);
inline constexpr auto kBusinessCategory = octets(0x55, 0x04, 0x0f);

// Certificate extensions, RFC 5280 4.2.1.
inline constexpr auto kSubjectKeyIdentifier = octets(0x55, 0x1d, 0x0e);
inline constexpr auto kKeyUsage = octets(0x55, 0x1d, 0x0f);
inline constexpr auto kSubjectAltName = octets(0x55, 0x1d, 0x11);
inline constexpr auto kBasicConstraints = octets(0x55, 0x1d, 0x13);
inline constexpr auto kAuthorityKeyIdentifier = octets(0x55, 0x1d, 0x23);
inline constexpr auto kExtendedKeyUsage = octets(0x55, 0x1d, 0x25);

// Key purposes, RFC 5280 4.2.1.12.
inline constexpr auto kServerAuth = octets(0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x01);
inline constexpr auto kClientAuth = octets(0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x02);

// PKCS#9 extensionRequest, RFC 2985 5.4.2.
inline constexpr auto kExtensionRequest = octets(0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x0e);

// PKCS#7 content types, RFC 2315 14.
inline constexpr auto kPkcs7Data = octets(0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x01);
inline constexpr auto kPkcs7SignedData = octets(0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02);

// Public keys: RFC 5480 2.1.1 (id-ecPublicKey and the named curves), RFC 8017 A.1 (rsaEncryption).
inline constexpr auto kEcPublicKey = octets(0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01);
inline constexpr auto kCurveP256 = octets(0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07);
inline constexpr auto kCurveP384 = octets(0x2b, 0x81, 0x04, 0x00, 0x22);
inline constexpr auto kCurveP521 = octets(0x2b, 0x81, 0x04, 0x00, 0x23);
inline constexpr auto kRsaEncryption = octets(0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01);

}  // namespace birthmark::crypto::oid
