// SPDX-License-Identifier: Apache-2.0
// The frame around every message to and from a Factory Configurator Client (protocol facts, pep 5.1). Only bytes in and out; knows
// nothing of connections or CBOR.
#pragma once

#include <string>
#include <string_view>

#include "base/ids.h"
#include "base/result.h"
#include "base/secret.h"
#include "core/ports/x509_codec.h"

namespace birthmark::faces::izuma {

// Token, length, message and its SHA-256.
[[nodiscard]] SecretBytes frame_request(ByteView message, const core::X509Codec& codec);

// What a non-zero status in a response frame means; the numbers are the client's.
[[nodiscard]] std::string describe_frame_status(std::uint32_t status);

// Collects one response frame. Fed whatever arrived; total work is linear and memory bounded.
class ResponseFrame {
 public:
  static constexpr std::size_t kLongestMessage = 64U << 10U;

  // invalid when it cannot become a good frame any more, unavailable when the client refused with a status of the frame.
  [[nodiscard]] Status feed(std::string_view bytes, const core::X509Codec& codec);
  [[nodiscard]] bool complete() const { return complete_; }
  [[nodiscard]] ByteView message() const { return {octets_.data() + kHeader, length_}; }
  // Whether anything came at all.
  [[nodiscard]] bool begun() const { return !octets_.empty(); }

 private:
  static constexpr std::size_t kHeader = 16;  // token, status, length
  [[nodiscard]] Status check_header();

  Bytes octets_;
  std::size_t length_ = 0;
  bool header_read_ = false;
  bool complete_ = false;
};

}  // namespace birthmark::faces::izuma
