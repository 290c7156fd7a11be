// SPDX-License-Identifier: Apache-2.0
// Writes the few kinds of CBOR (RFC 8949) that a Factory Configurator Client takes, definite lengths only (protocol facts, pep 5.3). The
// buffer is wiped: private keys pass through it.
#pragma once

#include <string_view>

#include "base/secret.h"

namespace birthmark::faces::izuma {

class CborWriter {
 public:
  void map(std::size_t entries) { head(5, entries); }
  void array(std::size_t items) { head(4, items); }
  void number(std::uint64_t value) { head(0, value); }
  void text(std::string_view value) {
    head(3, value.size());
    append(out_, as_bytes(value));
  }
  void bytes(ByteView value) {
    head(2, value.size());
    append(out_, value);
  }
  [[nodiscard]] SecretBytes take() { return std::move(out_); }

 private:
  // RFC 8949 3: the major type and the shortest form of the argument.
  void head(unsigned major, std::uint64_t argument) {
    const auto type = static_cast<std::uint8_t>(major << 5U);
    if (argument < 24) {
      out_.push_back(static_cast<std::uint8_t>(type | argument));
      return;
    }
    const unsigned size = argument <= 0xff ? 0 : argument <= 0xffff ? 1 : argument <= 0xffffffff ? 2 : 3;
    out_.push_back(static_cast<std::uint8_t>(type | (24 + size)));
    for (unsigned octets = 1U << size; octets > 0; --octets) out_.push_back(static_cast<std::uint8_t>(argument >> (8 * (octets - 1))));
  }

  SecretBytes out_;
};

}  // namespace birthmark::faces::izuma
