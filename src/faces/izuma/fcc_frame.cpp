// SPDX-License-Identifier: Apache-2.0
#include "faces/izuma/fcc_frame.h"

#include <array>

namespace birthmark::faces::izuma {
namespace {

constexpr std::string_view kToken = "mbedprov";
constexpr std::size_t kDigest = 32;
constexpr std::size_t kStatusEnd = 12;

std::uint32_t read_number(ByteView octets) {
  return octets[0] | (std::uint32_t{octets[1]} << 8U) | (std::uint32_t{octets[2]} << 16U) | (std::uint32_t{octets[3]} << 24U);
}

}  // namespace

SecretBytes frame_request(ByteView message, const core::X509Codec& codec) {
  SecretBytes frame;
  frame.reserve(kToken.size() + 4 + message.size() + kDigest);
  append(frame, as_bytes(kToken));
  for (unsigned shift = 0; shift < 32; shift += 8) frame.push_back(static_cast<std::uint8_t>(message.size() >> shift));
  append(frame, message);
  append(frame, codec.sha256(message).view());
  return frame;
}

std::string describe_frame_status(std::uint32_t status) {
  constexpr std::array<std::string_view, 16> kTexts{"success",
                                                    "a general error",
                                                    "a bad parameter",
                                                    "it ran out of memory",
                                                    "it could not read the message's length",
                                                    "it could not read the message",
                                                    "it could not read the message's hash",
                                                    "it could not compute the message's hash",
                                                    "the message arrived damaged (its hash differs)",
                                                    "it could not process the message (is its factory flow disabled?)",
                                                    "it could not process the message",
                                                    "it could not send its response",
                                                    "its network timed out",
                                                    "its connection failed",
                                                    "its connection was closed",
                                                    "an internal error"};
  const std::string number = "status " + std::to_string(status);
  return status < kTexts.size() ? number + ": " + std::string(kTexts[status]) : number;
}

Status ResponseFrame::check_header() {
  const ByteView octets(octets_);
  const std::size_t known = std::min(octets_.size(), kToken.size());
  if (as_text(octets.first(known)) != kToken.substr(0, known))
    return fail(ErrorCode::invalid, "what answered is not a Factory Configurator Client");
  if (octets_.size() < kStatusEnd) return {};
  const std::uint32_t status = read_number(octets.subspan(kToken.size(), 4));
  if (status != 0) return fail(ErrorCode::unavailable, "the Factory Configurator Client answered " + describe_frame_status(status));
  if (octets_.size() < kHeader) return {};
  length_ = read_number(octets.subspan(kStatusEnd, 4));
  if (length_ == 0 || length_ > kLongestMessage)
    return fail(ErrorCode::invalid, "the Factory Configurator Client announced an answer of " + std::to_string(length_) + " bytes");
  header_read_ = true;
  return {};
}

Status ResponseFrame::feed(std::string_view bytes, const core::X509Codec& codec) {
  if (complete_) return fail(ErrorCode::invalid, "the Factory Configurator Client sent more than its answer");
  // One piece at a time up to the header's end, so that nothing is kept of what no header promised.
  while (!header_read_ && !bytes.empty()) {
    const std::size_t take = std::min(bytes.size(), kHeader - octets_.size());
    append(octets_, as_bytes(bytes.substr(0, take)));
    bytes.remove_prefix(take);
    BIRTHMARK_CHECK(check_header());
  }
  if (!header_read_) return {};
  const std::size_t whole = kHeader + length_ + kDigest;
  const std::size_t take = std::min(bytes.size(), whole - octets_.size());
  append(octets_, as_bytes(bytes.substr(0, take)));
  if (bytes.size() > take) return fail(ErrorCode::invalid, "the Factory Configurator Client sent more than its answer");
  if (octets_.size() < whole) return {};
  const auto sent = ByteView(octets_).subspan(kHeader + length_);
  if (!equal(codec.sha256(message()).view(), sent))
    return fail(ErrorCode::invalid, "the Factory Configurator Client's answer arrived damaged (its hash differs)");
  complete_ = true;
  return {};
}

}  // namespace birthmark::faces::izuma
