// SPDX-License-Identifier: Apache-2.0
// Bytes of a peer in, one Request after another out; or the status that the peer gets instead. Knows nothing of sockets and time,
// so that it is tested and fuzzed alone. Used by net/connection.cpp. Must stay total: any bytes, cut anywhere, end in one of three states.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "net/chunked_body.h"
#include "net/http.h"

namespace birthmark::net {

enum class ReadProgress : std::uint8_t {
  need_more,  // feed() again
  complete,   // request() is valid until next() or clear()
  refused,    // refusal() says how to answer; the connection can carry nothing more
};

struct ReadRefusal {
  int status = 400;
  std::string_view message;
};

class RequestReader {
 public:
  RequestReader(std::size_t header_limit, std::size_t body_limit);
  ~RequestReader();
  RequestReader(const RequestReader&) = delete;
  RequestReader& operator=(const RequestReader&) = delete;

  // Takes all of `bytes`; what follows a complete request waits for next(). Not to be called while a request is complete.
  ReadProgress feed(std::string_view bytes);
  // Drops the complete request and reads on in what was received behind it.
  ReadProgress next();
  // Forgets everything, keeps its memory.
  void clear();
  // For the next request on.
  void set_body_limit(std::size_t limit) { body_limit_ = limit; }

  // No byte of an unfinished or following request is held.
  [[nodiscard]] bool empty() const { return bytes_.size() == end_; }
  [[nodiscard]] bool header_done() const { return header_done_; }
  // True once, when the peer waits for "100 Continue" before it sends its body.
  [[nodiscard]] bool take_continue();

  [[nodiscard]] Request& request() { return request_; }
  [[nodiscard]] const ReadRefusal& refusal() const { return refusal_; }
  [[nodiscard]] bool keep_alive() const { return keep_alive_; }
  [[nodiscard]] bool http_1_0() const { return version_ == 10; }
  [[nodiscard]] bool is_head() const { return is_head_; }
  [[nodiscard]] std::size_t capacity() const { return bytes_.capacity() + body_.capacity(); }

 private:
  class Parser;
  // Positions in bytes_, which may move while a request is unfinished.
  struct Span {
    std::size_t offset = 0;
    std::size_t size = 0;
  };
  struct FieldSpan {
    Span name;
    Span value;
  };
  struct Framing {
    bool chunked = false;
    bool has_length = false;
    std::uint64_t length = 0;
    unsigned hosts = 0;
    bool expects_continue = false;
  };

  ReadProgress advance();
  void read_header();
  void read_length_body();
  void read_chunks();
  [[nodiscard]] std::size_t find_header_end();
  void header_complete(std::size_t end);
  void take_parse_error(int parse_error);
  void refuse(int status, std::string_view message);
  void finish(std::size_t end);
  [[nodiscard]] bool split_target();
  void start_over();

  bool on_request_line(std::string_view method, std::string_view target, int version);
  bool on_field(std::string_view name, std::string_view value);
  bool on_framing_field(std::string_view name, std::string_view value);
  [[nodiscard]] Span span_of(std::string_view part) const;
  [[nodiscard]] bool holds(std::string_view part) const;
  [[nodiscard]] std::string_view text(Span span) const { return std::string_view(bytes_).substr(span.offset, span.size); }
  [[nodiscard]] bool names_foreign_version() const;

  std::size_t header_limit_;
  std::size_t body_limit_;
  std::string bytes_;  // from the first byte of the current request on
  std::string body_;   // of a chunked request, unwrapped
  std::unique_ptr<Parser> parser_;
  ReadProgress progress_ = ReadProgress::need_more;
  ReadRefusal refusal_;
  Request request_;
  std::vector<FieldSpan> fields_;
  Span method_;
  Span target_;
  Framing framing_;
  int version_ = 11;
  std::size_t header_start_ = 0;
  std::size_t line_start_ = 0;  // of the header line that is searched for its end
  std::size_t scanned_ = 0;
  std::size_t body_start_ = 0;  // once the header is done
  std::size_t end_ = 0;         // of the complete request
  std::optional<ChunkedBody> chunks_;
  bool header_done_ = false;
  bool keep_alive_ = false;
  bool is_head_ = false;
};

}  // namespace birthmark::net
