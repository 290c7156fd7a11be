// SPDX-License-Identifier: Apache-2.0
#include "base/ecdsa_signature.h"

namespace birthmark {
namespace {

constexpr std::size_t kLongestRaw = 132;  // P-521

// INTEGER of an unsigned big-endian number (X.690 8.3): no superfluous zeros, one where the top bit is set.
void append_integer(Bytes& to, ByteView number) {
  while (number.size() > 1 && number.front() == 0) number = number.subspan(1);
  const bool padded = (number.front() & 0x80U) != 0;
  to.push_back(0x02);
  to.push_back(static_cast<std::uint8_t>(number.size() + (padded ? 1 : 0)));
  if (padded) to.push_back(0);
  append(to, number);
}

// The contents of the next element with this tag; short and one-octet lengths are all that a signature needs.
std::optional<ByteView> take(ByteView& from, std::uint8_t tag) {
  if (from.size() < 2 || from[0] != tag) return std::nullopt;
  std::size_t length = from[1], header = 2;
  if (length == 0x81U && from.size() > 2 && from[2] >= 0x80U) {
    length = from[2];
    header = 3;
  } else if (length >= 0x80U) {
    return std::nullopt;
  }
  if (from.size() - header < length) return std::nullopt;
  const ByteView contents = from.subspan(header, length);
  from = from.subspan(header + length);
  return contents;
}

bool append_padded(Bytes& to, ByteView integer, std::size_t size) {
  if (integer.empty() || (integer[0] & 0x80U) != 0) return false;
  if (integer.size() > 1 && integer[0] == 0) integer = integer.subspan(1);
  if (integer.size() > size) return false;
  to.insert(to.end(), size - integer.size(), 0);
  append(to, integer);
  return true;
}

}  // namespace

Bytes ecdsa_to_der(ByteView raw) {
  if (raw.empty() || raw.size() % 2 != 0 || raw.size() > kLongestRaw) return {};
  Bytes numbers;
  append_integer(numbers, raw.first(raw.size() / 2));
  append_integer(numbers, raw.subspan(raw.size() / 2));
  Bytes der{0x30};
  if (numbers.size() >= 0x80U) der.push_back(0x81);
  der.push_back(static_cast<std::uint8_t>(numbers.size()));
  append(der, numbers);
  return der;
}

std::optional<Bytes> ecdsa_to_raw(ByteView der, std::size_t curve_bytes) {
  const auto sequence = take(der, 0x30);
  if (!sequence || !der.empty()) return std::nullopt;
  ByteView rest = *sequence;
  const auto r = take(rest, 0x02), s = take(rest, 0x02);
  if (!r || !s || !rest.empty()) return std::nullopt;
  Bytes raw;
  raw.reserve(2 * curve_bytes);
  if (!append_padded(raw, *r, curve_bytes) || !append_padded(raw, *s, curve_bytes)) return std::nullopt;
  return raw;
}

}  // namespace birthmark
