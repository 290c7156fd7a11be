// SPDX-License-Identifier: Apache-2.0
// Reads DER, strictly: definite lengths, shortest encodings, exact bounds (X.690 section 10 and 11). Total: any bytes give an answer,
// nothing is copied, nothing throws. Used on bytes from strangers by the CSR and certificate readers.
#pragma once

#include <optional>
#include <string_view>

#include "base/bytes.h"
#include "crypto/der_tags.h"

namespace birthmark::crypto::der {

struct Value {
  Tag tag = 0;
  ByteView contents;
  ByteView whole;  // identifier and length octets too
};

// Takes one value after the other off a run of bytes. Everything it hands out points into that run.
class Reader {
 public:
  explicit Reader(ByteView input) : rest_(input) {}

  [[nodiscard]] bool at_end() const { return rest_.empty(); }
  [[nodiscard]] bool next_is(Tag tag) const { return !rest_.empty() && rest_.front() == tag; }
  // Nothing when there is no well-framed value here (or one with another tag); then nothing is taken.
  [[nodiscard]] std::optional<Value> read_any();
  [[nodiscard]] std::optional<Value> read(Tag tag);

 private:
  ByteView rest_;
};

// The one value that `input` consists of.
[[nodiscard]] std::optional<Value> read_single(ByteView input, Tag tag);

// Whether a well-framed SEQUENCE is followed by anything.
[[nodiscard]] bool has_trailing_bytes(ByteView input);

// Looks at every octet of a run of values, down through constructed ones, and says what is not DER, in words for a peer; nothing when all
// is well. Structures nested deeper than sixteen levels are a fault. After this, framing errors cannot occur in `input`.
[[nodiscard]] std::optional<std::string_view> find_fault(ByteView input);

// Whether the values of a run ascend as the members of a SET OF must (X.690 11.6), compared octet by octet.
[[nodiscard]] bool members_ascend(ByteView contents);

// The octets of a BIT STRING that has no unused bits.
[[nodiscard]] std::optional<ByteView> whole_octets(const Value& bit_string);

}  // namespace birthmark::crypto::der
