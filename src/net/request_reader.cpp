// SPDX-License-Identifier: Apache-2.0
// Framing decisions (RFC 9112) around Beast's parser: whatever two parties could read differently is refused, never repaired.
#include "net/request_reader.h"

#include <boost/beast/http/basic_parser.hpp>
#include <charconv>
#include <functional>
#include <limits>

#include "base/result.h"
#include "net/ascii.h"

namespace birthmark::net {
namespace {

namespace http = boost::beast::http;
using boost::beast::string_view;

constexpr std::size_t kFieldLimit = 100;
constexpr std::size_t kLongestLength = 18;  // digits of a Content-Length: stays inside 64 bits

std::string_view view(string_view text) {
  return {text.data(), text.size()};
}

}  // namespace

// Beast's grammar for the header, reporting views instead of building containers: nothing is allocated for a request.
class RequestReader::Parser {
 public:
  explicit Parser(RequestReader& owner) : owner_(owner) {}

  void restart() {
    grammar_.emplace(owner_);
    grammar_->header_limit(std::numeric_limits<std::uint32_t>::max());  // ours is checked before
    grammar_->body_limit(std::numeric_limits<std::uint64_t>::max());    // as is this
    grammar_->eager(false);
  }
  // How many bytes it is done with. `error`: 0, or a http::error.
  std::size_t put(std::string_view bytes, int& error) {
    boost::system::error_code code;
    const std::size_t used = grammar_->put(boost::asio::const_buffer(bytes.data(), bytes.size()), code);
    error = code.value();
    return used;
  }
  [[nodiscard]] bool header_done() const { return grammar_->is_header_done(); }
  [[nodiscard]] bool keep_alive() const { return grammar_->keep_alive(); }

 private:
  class Grammar final : public http::basic_parser<true> {
   public:
    explicit Grammar(RequestReader& owner) : owner_(owner) {}

   private:
    using Error = boost::system::error_code;
    void on_request_impl(http::verb /*verb*/, string_view method, string_view target, int version, Error& error) override {
      if (!owner_.on_request_line(view(method), view(target), version)) error = http::error::bad_target;
    }
    void on_field_impl(http::field /*field*/, string_view name, string_view value, Error& error) override {
      if (!owner_.on_field(view(name), view(value))) error = http::error::bad_field;
    }
    // Bodies are not its business: it is not called again after the header.
    std::size_t on_chunk_body_impl(std::uint64_t /*remain*/, string_view part, Error& /*error*/) override { return part.size(); }
    std::size_t on_body_impl(string_view part, Error& /*error*/) override { return part.size(); }
    void on_response_impl(int /*code*/, string_view /*reason*/, int /*version*/, Error& /*error*/) override {}
    void on_header_impl(Error& /*error*/) override {}
    void on_body_init_impl(boost::optional<std::uint64_t> const& /*length*/, Error& /*error*/) override {}
    void on_chunk_header_impl(std::uint64_t /*size*/, string_view /*extensions*/, Error& /*error*/) override {}
    void on_finish_impl(Error& /*error*/) override {}

    RequestReader& owner_;
  };

  RequestReader& owner_;
  std::optional<Grammar> grammar_;
};

RequestReader::RequestReader(std::size_t header_limit, std::size_t body_limit)
    : header_limit_(header_limit), body_limit_(body_limit), parser_(std::make_unique<Parser>(*this)) {
  parser_->restart();
}

RequestReader::~RequestReader() = default;

ReadProgress RequestReader::feed(std::string_view bytes) {
  BIRTHMARK_ASSERT(progress_ != ReadProgress::complete);
  if (progress_ == ReadProgress::refused) return progress_;
  bytes_.append(bytes);
  return advance();
}

ReadProgress RequestReader::next() {
  BIRTHMARK_ASSERT(progress_ == ReadProgress::complete);
  bytes_.erase(0, end_);
  start_over();
  return bytes_.empty() ? progress_ : advance();
}

void RequestReader::clear() {
  bytes_.clear();
  start_over();
}

void RequestReader::start_over() {
  body_.clear();
  fields_.clear();
  framing_ = {};
  parser_->restart();
  progress_ = ReadProgress::need_more;
  header_start_ = line_start_ = scanned_ = body_start_ = end_ = 0;
  chunks_.reset();
  header_done_ = keep_alive_ = is_head_ = false;
}

bool RequestReader::take_continue() {
  const bool waits = progress_ == ReadProgress::need_more && header_done_ && framing_.expects_continue && bytes_.size() == body_start_;
  if (header_done_) framing_.expects_continue = false;
  return waits;
}

ReadProgress RequestReader::advance() {
  if (!header_done_) read_header();
  if (header_done_ && progress_ == ReadProgress::need_more) {
    if (framing_.chunked) {
      read_chunks();
    } else {
      read_length_body();
    }
  }
  return progress_;
}

void RequestReader::read_header() {
  const std::size_t end = find_header_end();
  if (end == 0) return;
  int error = 0;
  const std::size_t used = parser_->put(std::string_view(bytes_).substr(header_start_, end - header_start_), error);
  if (progress_ == ReadProgress::refused) return;
  if (error != 0) return take_parse_error(error);
  if (!parser_->header_done() || used != end - header_start_) return refuse(400, "the request's header is malformed");
  header_complete(end);
}

// Behind the empty line, or 0 while that has not come. Beast gets a header only whole: its verdict cannot depend on how it was cut.
std::size_t RequestReader::find_header_end() {
  if (!bytes_.empty() && bytes_[0] < ' ' && bytes_[0] != '\r') refuse(400, "this is not HTTP");  // a TLS ClientHello, mostly
  while (progress_ == ReadProgress::need_more) {
    const std::size_t newline = bytes_.find('\n', scanned_);
    scanned_ = std::min(newline, bytes_.size());
    if (scanned_ >= header_limit_ + (newline == std::string::npos ? 1 : 0)) {
      refuse(431, "the request's header is too large");
    } else if (newline == std::string::npos) {
      break;
    } else if (newline == line_start_ || bytes_[newline - 1] != '\r') {
      refuse(400, "a line of the request's header does not end in CR LF");
    } else {
      const bool empty_line = newline == line_start_ + 1;
      scanned_ = line_start_ = newline + 1;
      if (empty_line && newline > 1) return newline + 1;
      // RFC 9112 2.2: an empty line before the request line is ignored, for the sake of old clients. One is enough.
      if (empty_line) header_start_ = 2;
    }
  }
  return 0;
}

void RequestReader::take_parse_error(int parse_error) {
  switch (static_cast<http::error>(parse_error)) {
    case http::error::body_limit: return refuse(413, "the request's body is too large");
    case http::error::bad_version:
      if (names_foreign_version()) return refuse(505, "only HTTP/1.0 and HTTP/1.1 are spoken here");
      return refuse(400, "the request line is malformed");
    case http::error::bad_method:
    case http::error::bad_target: return refuse(400, "the request line is malformed");
    case http::error::bad_content_length:
    case http::error::multiple_content_length: return refuse(400, "the request's Content-Length is malformed or in conflict");
    case http::error::bad_transfer_encoding: return refuse(400, "Transfer-Encoding and Content-Length are in conflict");
    default: return refuse(400, "the request's header is malformed");
  }
}

// "HTTP/2.0" at the end of the request line is a version that we do not speak; anything else there is noise.
bool RequestReader::names_foreign_version() const {
  const std::string_view all(bytes_);
  const std::size_t end = all.find("\r\n", header_start_);
  const std::string_view line = all.substr(0, end);
  const std::size_t space = line.rfind(' ');
  if (space == std::string_view::npos) return false;
  const std::string_view version = line.substr(space + 1);
  return version.size() == 8 && version.starts_with("HTTP/") && is_digits(version.substr(5, 1)) && version[6] == '.' &&
         is_digits(version.substr(7, 1));
}

void RequestReader::refuse(int status, std::string_view message) {
  progress_ = ReadProgress::refused;
  refusal_ = {.status = status, .message = message};
}

bool RequestReader::holds(std::string_view part) const {
  const std::less_equal<> before;
  return before(bytes_.data(), part.data()) && before(part.data() + part.size(), bytes_.data() + bytes_.size());
}

RequestReader::Span RequestReader::span_of(std::string_view part) const {
  return {.offset = static_cast<std::size_t>(part.data() - bytes_.data()), .size = part.size()};
}

bool RequestReader::on_request_line(std::string_view method, std::string_view target, int version) {
  method_ = span_of(method);
  target_ = span_of(target);
  version_ = version;
  const bool printable = std::all_of(target.begin(), target.end(), [](char c) { return c > ' ' && c < '\x7f' && c != '#'; });
  if (!printable) refuse(400, "the request's target has a character that does not belong there");
  if (method == "CONNECT") refuse(501, "this is not a proxy");
  return progress_ != ReadProgress::refused;
}

bool RequestReader::on_field(std::string_view name, std::string_view value) {
  const std::string_view after_name(name.data() + name.size() + 1,
                                    holds(value) ? static_cast<std::size_t>(value.data() - name.data()) - name.size() - 1 : 0);
  // RFC 9112 5.2: a folded line is refused. Beast hands it over copied together, or with the line end before the value.
  if (!holds(value) || after_name.find('\n') != std::string_view::npos) {
    refuse(400, "the request's header has a folded line");
    return false;
  }
  if (fields_.size() == kFieldLimit) {
    refuse(431, "the request has too many header fields");
    return false;
  }
  fields_.push_back({.name = span_of(name), .value = span_of(value)});
  return on_framing_field(name, value);
}

// Content-Length, Transfer-Encoding, Host and Expect: once each, in their one plain form.
bool RequestReader::on_framing_field(std::string_view name, std::string_view value) {
  if (name.size() == 4 && equal_ignoring_case(name, "host")) {
    ++framing_.hosts;
  } else if (name.size() == 6 && equal_ignoring_case(name, "expect")) {
    if (!equal_ignoring_case(value, "100-continue")) refuse(417, "the only expectation met here is 100-continue");
    framing_.expects_continue = version_ == 11;
  } else if (name.size() == 14 && equal_ignoring_case(name, "content-length")) {
    if (framing_.has_length || !is_digits(value)) refuse(400, "the request's Content-Length is malformed or in conflict");
    if (value.size() > kLongestLength) refuse(413, "the request's body is too large");
    framing_.has_length = true;
    if (progress_ != ReadProgress::refused) std::from_chars(value.data(), value.data() + value.size(), framing_.length);
  } else if (name.size() == 17 && equal_ignoring_case(name, "transfer-encoding")) {
    if (framing_.chunked || version_ == 10) refuse(400, "the request's Transfer-Encoding is malformed or in conflict");
    if (!equal_ignoring_case(value, "chunked")) refuse(501, "the only transfer coding understood here is chunked");
    framing_.chunked = true;
  }
  if (framing_.chunked && framing_.has_length && progress_ != ReadProgress::refused) {
    refuse(400, "Transfer-Encoding and Content-Length are in conflict");
  }
  return progress_ != ReadProgress::refused;
}

void RequestReader::header_complete(std::size_t end) {
  if (framing_.hosts > 1 || (framing_.hosts == 0 && version_ == 11)) return refuse(400, "a request names exactly one Host");
  if (framing_.length > body_limit_) return refuse(413, "the request's body is too large");
  if (!split_target()) return refuse(400, "the request's target is malformed");
  header_done_ = true;
  keep_alive_ = parser_->keep_alive();
  is_head_ = text(method_) == "HEAD";
  body_start_ = end;
  if (framing_.chunked) chunks_.emplace(body_limit_, header_limit_);
}

void RequestReader::read_length_body() {
  const std::size_t length = static_cast<std::size_t>(framing_.length);
  if (bytes_.size() - body_start_ >= length) finish(body_start_ + length);
}

// What is done with is dropped at once: only the unwrapped body and an unfinished line are held.
void RequestReader::read_chunks() {
  std::size_t used = 0;
  for (std::size_t taken = 1; taken != 0; used += taken) {
    taken = chunks_->take(std::string_view(bytes_).substr(body_start_ + used), body_);
  }
  bytes_.erase(body_start_, used);
  switch (chunks_->state()) {
    case ChunkedBody::State::complete: return finish(body_start_);
    case ChunkedBody::State::malformed: return refuse(400, "the request's chunked body is malformed");
    case ChunkedBody::State::body_too_large: return refuse(413, "the request's body is too large");
    case ChunkedBody::State::framing_too_large: return refuse(413, "the chunk lines of the request's body are too large");
    default: return;
  }
}

// Origin form, absolute form (RFC 9112 3.2.2) or "*" for OPTIONS.
bool RequestReader::split_target() {
  std::string_view target = text(target_);
  if (target == "*") return text(method_) == "OPTIONS";
  if (target.starts_with('/')) return true;
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (target.size() <= scheme.size() || !equal_ignoring_case(target.substr(0, scheme.size()), scheme)) continue;
    const std::size_t authority_end = target.find_first_of("/?", scheme.size());
    if (authority_end == scheme.size()) return false;
    const std::size_t skipped = std::min(authority_end, target.size());
    target_ = {.offset = target_.offset + skipped, .size = target_.size - skipped};
    return true;
  }
  return false;
}

void RequestReader::finish(std::size_t end) {
  const std::string_view target = text(target_);
  const std::size_t question = target.find('?');
  request_.method = text(method_);
  request_.path = target.substr(0, question);
  if (request_.path.empty()) request_.path = "/";  // absolute form without a path
  request_.query = question == std::string_view::npos ? std::string_view{} : target.substr(question + 1);
  request_.content_type = {};
  request_.headers.clear();
  request_.headers.reserve(fields_.size());
  for (const FieldSpan& field : fields_) {
    const std::string_view name = text(field.name);
    const std::string_view value = text(field.value);
    if (name.size() == 12 && request_.content_type.empty() && equal_ignoring_case(name, "content-type")) request_.content_type = value;
    request_.headers.emplace_back(name, value);
  }
  request_.body = framing_.chunked ? std::string_view(body_) : std::string_view(bytes_).substr(body_start_, end - body_start_);
  end_ = end;
  progress_ = ReadProgress::complete;
}

}  // namespace birthmark::net
