// SPDX-License-Identifier: Apache-2.0
// Strong types for values that would otherwise be mixed up: digests, ids and serial numbers.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "base/result.h"

namespace birthmark {

// N octets with a meaning of their own. Zero-initialised; compared octet by octet.
template <class Tag, std::size_t N>
struct FixedBytes {
  static constexpr std::size_t kSize = N;
  std::array<std::uint8_t, N> octets{};

  [[nodiscard]] ByteView view() const { return octets; }
  [[nodiscard]] static std::optional<FixedBytes> from(ByteView bytes) {
    if (bytes.size() != N) return std::nullopt;
    FixedBytes made;
    std::copy(bytes.begin(), bytes.end(), made.octets.begin());
    return made;
  }
  auto operator<=>(const FixedBytes&) const = default;
};

using Sha256Digest = FixedBytes<struct Sha256DigestTag, 32>;
using Fingerprint = FixedBytes<struct FingerprintTag, 32>;  // SHA-256 of a DER certificate
using SpkiHash = FixedBytes<struct SpkiHashTag, 32>;        // SHA-256 of a DER SubjectPublicKeyInfo
using DeviceId = FixedBytes<struct DeviceIdTag, 16>;        // internal, never on the wire to a device

// A certificate serial number: positive, at most 20 octets (RFC 5280 4.1.2.2), big-endian without leading zeros.
// Numbers read from foreign certificates may be longer (fioctl writes 21 DER octets half of the time); those stay Bytes.
class Serial {
 public:
  static constexpr std::size_t kMaxOctets = 20;

  Serial() = default;
  // The magnitude, leading zeros allowed. Refuses zero, and what needs more than 20 DER octets.
  [[nodiscard]] static Result<Serial> from_magnitude(ByteView big_endian);

  [[nodiscard]] ByteView magnitude() const { return {octets_.data(), size_}; }
  // The contents octets of its DER INTEGER: a leading zero where the top bit is set.
  [[nodiscard]] Bytes der_contents() const;
  [[nodiscard]] std::string hex() const;

  bool operator==(const Serial&) const = default;

 private:
  std::array<std::uint8_t, kMaxOctets> octets_{};
  std::uint8_t size_ = 0;
};

}  // namespace birthmark
