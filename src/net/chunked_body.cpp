// SPDX-License-Identifier: Apache-2.0
// One line at a time, each bounded; the parser's whole state is an enum and three counters.
#include "net/chunked_body.h"

#include <algorithm>
#include <charconv>

namespace birthmark::net {
namespace {

// Framing a peer may spend on a body: one octet a chunk costs five; beyond this it only burns our time.
constexpr std::uint64_t kFramingPerOctet = 8;
constexpr std::size_t kLongestSize = 15;  // hexadecimal digits: stays inside 64 bits

bool is_line_text(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c == '\t' || (static_cast<unsigned char>(c) >= ' ' && c != '\x7f'); });
}

}  // namespace

ChunkedBody::ChunkedBody(std::size_t body_limit, std::size_t line_limit)
    : line_limit_(line_limit), body_left_(body_limit), framing_left_(kFramingPerOctet * body_limit + line_limit) {}

std::size_t ChunkedBody::take(std::string_view bytes, std::string& body) {
  if (state_ == State::data) return take_data(bytes, body);
  if (state_ == State::data_end) return take_data_end(bytes);
  if (state_ == State::size_line || state_ == State::trailer) return take_line(bytes);
  return 0;
}

std::size_t ChunkedBody::take_data(std::string_view bytes, std::string& body) {
  const std::size_t size = static_cast<std::size_t>(std::min<std::uint64_t>(chunk_left_, bytes.size()));
  body.append(bytes.substr(0, size));
  chunk_left_ -= size;
  if (chunk_left_ == 0) state_ = State::data_end;
  return size;
}

std::size_t ChunkedBody::take_line(std::string_view bytes) {
  const std::size_t end = bytes.find('\n');
  const std::size_t used = end == std::string_view::npos ? bytes.size() : end + 1;
  if (used > line_limit_ || used > framing_left_) {
    state_ = State::framing_too_large;
    return 0;
  }
  if (end == std::string_view::npos) return 0;
  framing_left_ -= used;
  if (end == 0 || bytes[end - 1] != '\r' || !is_line_text(bytes.substr(0, end - 1))) {
    state_ = State::malformed;
    return used;
  }
  const std::string_view line = bytes.substr(0, end - 1);
  state_ == State::size_line ? read_size(line) : read_trailer(line);
  return used;
}

std::size_t ChunkedBody::take_data_end(std::string_view bytes) {
  constexpr std::string_view kEnd = "\r\n";
  const std::string_view front = bytes.substr(0, kEnd.size());
  if (front != kEnd.substr(0, front.size())) state_ = State::malformed;
  if (front != kEnd) return 0;
  framing_left_ -= std::min<std::uint64_t>(kEnd.size(), framing_left_);
  state_ = State::size_line;
  return kEnd.size();
}

// chunk-size [ chunk-ext ]; white space only before the ";" of an extension (RFC 9112 7.1.1).
void ChunkedBody::read_size(std::string_view line) {
  const auto parsed = std::from_chars(line.data(), line.data() + line.size(), chunk_left_, 16);
  const std::size_t digits = static_cast<std::size_t>(parsed.ptr - line.data());
  const std::size_t extension = line.find_first_not_of(" \t", digits);
  const bool plain = digits == line.size();
  const bool extended = extension != std::string_view::npos && line[extension] == ';';
  if (parsed.ec != std::errc{} || digits == 0 || digits > kLongestSize || (!plain && !extended)) {
    state_ = State::malformed;
  } else if (chunk_left_ > body_left_) {
    state_ = State::body_too_large;
  } else {
    body_left_ -= chunk_left_;
    state_ = chunk_left_ == 0 ? State::trailer : State::data;
  }
}

void ChunkedBody::read_trailer(std::string_view line) {
  if (line.empty()) {
    state_ = State::complete;
  } else if (line[0] == ' ' || line[0] == '\t' || line.find(':') == std::string_view::npos) {
    state_ = State::malformed;
  }
}

}  // namespace birthmark::net
