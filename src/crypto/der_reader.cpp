// SPDX-License-Identifier: Apache-2.0
#include "crypto/der_reader.h"

#include <algorithm>
#include <cstddef>

namespace birthmark::crypto::der {
namespace {

constexpr std::size_t kMaximumLengthOctets = 4;
constexpr unsigned kMaximumDepth = 16;
constexpr Tag kConstructed = 0x20;
constexpr Tag kClassMask = 0xc0;
constexpr Tag kNumberMask = 0x1f;

using Fault = std::optional<std::string_view>;

struct Header {
  std::size_t header_size = 0;
  std::size_t contents_size = 0;
};

// The header at the start of `input`, whose contents lie within it. The fault when there is none.
Fault read_header(ByteView input, Header& header) {
  if (input.size() < 2) return "it is cut short";
  if ((input[0] & kNumberMask) == kNumberMask) return "it has a tag number above 30";
  const std::uint8_t first = input[1];
  header = {2, first};
  if (first >= 0x80) {
    const std::size_t octets = first & 0x7fU;
    if (octets == 0) return "it has an indefinite length (BER, not DER)";
    if (octets > kMaximumLengthOctets) return "it has a length of more than four octets";
    if (input.size() < 2 + octets) return "it is cut short";
    std::size_t length = 0;
    for (std::size_t i = 0; i < octets; ++i) length = length << 8U | input[2 + i];
    if (length < 0x80 || length >> (8 * (octets - 1)) == 0) return "it has a length that is not in its shortest form (BER, not DER)";
    header = {2 + octets, length};
  }
  if (header.contents_size > input.size() - header.header_size) return "it is cut short";
  return std::nullopt;
}

Fault integer_fault(ByteView contents) {
  if (contents.empty()) return "it has an INTEGER without octets";
  if (contents.size() == 1) return std::nullopt;
  const bool padded_zero = contents[0] == 0x00 && contents[1] < 0x80;
  const bool padded_ones = contents[0] == 0xff && contents[1] >= 0x80;
  if (padded_zero || padded_ones) return "it has an INTEGER that is not in its shortest form (BER, not DER)";
  return std::nullopt;
}

Fault object_identifier_fault(ByteView contents) {
  bool at_start = true;
  for (const std::uint8_t octet : contents) {
    if (at_start && octet == 0x80) return "it has an OBJECT IDENTIFIER that is not in its shortest form (BER, not DER)";
    at_start = octet < 0x80;
  }
  if (contents.empty() || !at_start) return "it has an OBJECT IDENTIFIER that is cut short";
  return std::nullopt;
}

Fault bit_string_fault(ByteView contents) {
  if (contents.empty()) return "it has a BIT STRING without octets";
  const unsigned unused = contents[0];
  if (unused > 7 || (contents.size() == 1 && unused != 0)) return "it has a BIT STRING with a wrong number of unused bits";
  if ((contents.back() & ((1U << unused) - 1U)) != 0 && contents.size() > 1)
    return "it has a BIT STRING with unused bits that are not zero";
  return std::nullopt;
}

Fault primitive_fault(const Value& value) {
  switch (value.tag) {
    case kBoolean:
      if (value.contents.size() != 1 || (value.contents[0] != 0x00 && value.contents[0] != 0xff)) return "it has a malformed BOOLEAN";
      return std::nullopt;
    case kInteger: return integer_fault(value.contents);
    case kBitString: return bit_string_fault(value.contents);
    case kNull:
      if (!value.contents.empty()) return "it has a malformed NULL";
      return std::nullopt;
    case kObjectIdentifier: return object_identifier_fault(value.contents);
    case kSequence & ~kConstructed:
    case kSet & ~kConstructed: return "it has a primitive SEQUENCE or SET";
    case 0: return "it has an end-of-contents marker (BER, not DER)";
    default: return std::nullopt;
  }
}

// Strings in pieces are BER (X.690 10.2). EXTERNAL and EMBEDDED PDV are constructed in DER too, but have no place in X.509, and OpenSSL
// writes them back as something else.
bool may_be_constructed(Tag tag) {
  return (tag & kClassMask) != 0 || tag == kSequence || tag == kSet;
}

Fault find_fault_within(ByteView input, unsigned depth) {
  if (depth > kMaximumDepth) return "it is nested too deeply";
  while (!input.empty()) {
    Header header;
    if (const Fault fault = read_header(input, header)) return fault;
    const Value value{input[0], input.subspan(header.header_size, header.contents_size), {}};
    const bool constructed = (value.tag & kConstructed) != 0;
    if (constructed && !may_be_constructed(value.tag)) return "it has a constructed value of a type that must be primitive (BER, not DER)";
    if (const Fault fault = constructed ? find_fault_within(value.contents, depth + 1) : primitive_fault(value)) return fault;
    input = input.subspan(header.header_size + header.contents_size);
  }
  return std::nullopt;
}

}  // namespace

std::optional<Value> Reader::read_any() {
  Header header;
  if (read_header(rest_, header)) return std::nullopt;
  const std::size_t size = header.header_size + header.contents_size;
  const Value value{rest_[0], rest_.subspan(header.header_size, header.contents_size), rest_.first(size)};
  rest_ = rest_.subspan(size);
  return value;
}

std::optional<Value> Reader::read(Tag tag) {
  if (!next_is(tag)) return std::nullopt;
  return read_any();
}

std::optional<Value> read_single(ByteView input, Tag tag) {
  Reader reader(input);
  const std::optional<Value> value = reader.read(tag);
  return reader.at_end() ? value : std::nullopt;
}

bool has_trailing_bytes(ByteView input) {
  Reader reader(input);
  return reader.read(kSequence) && !reader.at_end();
}

Fault find_fault(ByteView input) {
  return find_fault_within(input, 0);
}

bool members_ascend(ByteView contents) {
  Reader reader(contents);
  ByteView previous;
  while (const auto member = reader.read_any()) {
    const ByteView next = member->whole;
    if (std::lexicographical_compare(next.begin(), next.end(), previous.begin(), previous.end())) return false;
    previous = next;
  }
  return true;
}

std::optional<ByteView> whole_octets(const Value& bit_string) {
  if (bit_string.tag != kBitString || bit_string.contents.empty() || bit_string.contents[0] != 0) return std::nullopt;
  return bit_string.contents.subspan(1);
}

}  // namespace birthmark::crypto::der
