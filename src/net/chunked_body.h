// SPDX-License-Identifier: Apache-2.0
// Unwraps a chunked request body (RFC 9112 7.1), strictly; chunk extensions and trailers are checked and dropped. Used by
// RequestReader. Not Beast's: its parser asserts when "0 CR LF CR LF" arrives octet by octet.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace birthmark::net {

class ChunkedBody {
 public:
  enum class State : std::uint8_t { size_line, data, data_end, trailer, complete, malformed, body_too_large, framing_too_large };

  // `line_limit`: the longest chunk line or trailer, end included.
  ChunkedBody(std::size_t body_limit, std::size_t line_limit);

  // Appends to `body` what `bytes` hold of it and says how many of them are done with; the rest is to be offered again with more.
  // Call until it takes nothing more. Takes nothing in the last four states.
  [[nodiscard]] std::size_t take(std::string_view bytes, std::string& body);
  [[nodiscard]] State state() const { return state_; }

 private:
  [[nodiscard]] std::size_t take_line(std::string_view bytes);
  [[nodiscard]] std::size_t take_data_end(std::string_view bytes);
  [[nodiscard]] std::size_t take_data(std::string_view bytes, std::string& body);
  void read_size(std::string_view line);
  void read_trailer(std::string_view line);

  std::size_t line_limit_;
  std::uint64_t body_left_;     // of the limit
  std::uint64_t framing_left_;  // what lines may still cost
  std::uint64_t chunk_left_ = 0;
  State state_ = State::size_line;
};

}  // namespace birthmark::net
