// SPDX-License-Identifier: Apache-2.0
// Every case is read twice: in one piece and octet by octet. Both must end alike.
#include "net/request_reader.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace birthmark::net {
namespace {

constexpr std::size_t kHeaderLimit = 1024;
constexpr std::size_t kBodyLimit = 64;

struct Outcome {
  ReadProgress progress = ReadProgress::need_more;
  int status = 0;
  std::string line;  // method, path, query and body of a complete request
  bool keep_alive = false;
  bool operator==(const Outcome&) const = default;
};

Outcome outcome_of(RequestReader& reader, ReadProgress progress) {
  Outcome outcome;
  outcome.progress = progress;
  if (progress == ReadProgress::refused) outcome.status = reader.refusal().status;
  if (progress != ReadProgress::complete) return outcome;
  const Request& request = reader.request();
  outcome.line =
      std::string(request.method) + " " + std::string(request.path) + " " + std::string(request.query) + " " + std::string(request.body);
  outcome.keep_alive = reader.keep_alive();
  return outcome;
}

// All requests of `bytes`, cut into pieces of `step`.
std::vector<Outcome> read_all(std::string_view bytes, std::size_t step) {
  RequestReader reader(kHeaderLimit, kBodyLimit);
  std::vector<Outcome> outcomes;
  ReadProgress progress = ReadProgress::need_more;
  while (!bytes.empty() && progress != ReadProgress::refused) {
    const std::string piece(bytes.substr(0, step));  // its own memory: the reader must not keep views into it
    bytes.remove_prefix(piece.size());
    progress = reader.feed(piece);
    while (progress == ReadProgress::complete) {
      outcomes.push_back(outcome_of(reader, progress));
      progress = reader.next();
    }
  }
  if (progress == ReadProgress::refused || !reader.empty()) outcomes.push_back(outcome_of(reader, progress));
  return outcomes;
}

std::vector<Outcome> read_either_way(std::string_view bytes) {
  const std::vector<Outcome> whole = read_all(bytes, bytes.size());
  for (const std::size_t step : {1U, 2U, 7U}) {
    EXPECT_EQ(whole, read_all(bytes, step)) << "in pieces of " << step << ": " << bytes;
  }
  return whole;
}

std::string only_request(std::string_view bytes) {
  const auto outcomes = read_either_way(bytes);
  if (outcomes.size() != 1 || outcomes[0].progress != ReadProgress::complete) return "not one complete request";
  return outcomes[0].line;
}

int refusal_of(std::string_view bytes) {
  const auto outcomes = read_either_way(bytes);
  if (outcomes.empty() || outcomes.back().progress != ReadProgress::refused) return 0;
  return outcomes.back().status;
}

TEST(RequestReader, ReadsTargetQueryAndBody) {
  EXPECT_EQ(only_request("GET / HTTP/1.1\r\nHost: a\r\n\r\n"), "GET /  ");
  EXPECT_EQ(only_request("GET /a/b%20c?d=e&f HTTP/1.1\r\nHost: a\r\n\r\n"), "GET /a/b%20c d=e&f ");
  EXPECT_EQ(only_request("POST /sign HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"), "POST /sign  hello");
  EXPECT_EQ(only_request("POST /sign HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"), "POST /sign  ");
  EXPECT_EQ(only_request("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n"), "OPTIONS *  ");
}

TEST(RequestReader, HeadersAreViewsThatSurviveReallocation) {
  RequestReader reader(kHeaderLimit, kBodyLimit);
  EXPECT_EQ(reader.feed("POST /x HTTP/1.1\r\nHost: a\r\nContent-TYPE: application/json \r\nX-Long: "), ReadProgress::need_more);
  EXPECT_EQ(reader.feed(std::string(500, 'v')), ReadProgress::need_more);
  EXPECT_EQ(reader.feed("\r\nContent-Length: 3\r\n\r\n"), ReadProgress::need_more);
  EXPECT_TRUE(reader.header_done());
  EXPECT_EQ(reader.feed("abc"), ReadProgress::complete);
  EXPECT_EQ(reader.request().content_type, "application/json");
  EXPECT_EQ(reader.request().header("x-long"), std::string(500, 'v'));
  EXPECT_EQ(reader.request().header("HOST"), "a");
  EXPECT_EQ(reader.request().header("absent"), "");
  EXPECT_EQ(reader.request().headers.size(), 4U);
  EXPECT_EQ(reader.next(), ReadProgress::need_more);
  EXPECT_TRUE(reader.empty());
}

TEST(RequestReader, PipelinedRequestsComeOneAfterAnother) {
  const auto outcomes = read_either_way(
      "POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nab"
      "GET /2 HTTP/1.1\r\nHost: a\r\n\r\n"
      "POST /3 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nxyz\r\n0\r\n\r\n"
      "GET /4 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\nGET /5");
  ASSERT_EQ(outcomes.size(), 5U);
  EXPECT_EQ(outcomes[0].line, "POST /1  ab");
  EXPECT_EQ(outcomes[1].line, "GET /2  ");
  EXPECT_EQ(outcomes[2].line, "POST /3  xyz");
  EXPECT_TRUE(outcomes[2].keep_alive);
  EXPECT_EQ(outcomes[3].line, "GET /4  ");
  EXPECT_FALSE(outcomes[3].keep_alive);
  EXPECT_EQ(outcomes[4].progress, ReadProgress::need_more);
}

// RFC 9112 9.3.
TEST(RequestReader, Persistence) {
  const auto keeps = [](std::string_view bytes) { return read_either_way(bytes).at(0).keep_alive; };
  EXPECT_TRUE(keeps("GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
  EXPECT_FALSE(keeps("GET / HTTP/1.1\r\nHost: a\r\nConnection: foo, Close\r\n\r\n"));
  EXPECT_FALSE(keeps("GET / HTTP/1.0\r\n\r\n"));
  EXPECT_TRUE(keeps("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n"));
}

// RFC 9112 7.1.
TEST(RequestReader, ChunkedBodies) {
  const std::string head = "POST /c HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n";
  EXPECT_EQ(only_request(head + "0\r\n\r\n"), "POST /c  ");
  EXPECT_EQ(only_request(head + "5\r\nhello\r\n1;ext=\"v\"\r\n!\r\n0\r\nTrailer: ignored\r\n\r\n"), "POST /c  hello!");
  EXPECT_EQ(only_request(head + "A\r\n0123456789\r\n0\r\n\r\n"), "POST /c  0123456789");
  EXPECT_EQ(refusal_of(head + "41\r\n"), 413);  // 65 octets
  EXPECT_EQ(refusal_of(head + "40\r\n" + std::string(64, 'x') + "\r\n1\r\n"), 413);
  EXPECT_EQ(refusal_of(head + "x\r\n"), 400);
  EXPECT_EQ(refusal_of(head + "-1\r\n"), 400);
  EXPECT_EQ(refusal_of(head + "0x1\r\n"), 400);
  EXPECT_EQ(refusal_of(head + "1 \r\n"), 400);
  EXPECT_EQ(refusal_of(head + "1\n"), 400);
  EXPECT_EQ(refusal_of(head + "\r\n"), 400);
  EXPECT_EQ(refusal_of(head + "1;a=\x01\r\n"), 400);
  EXPECT_EQ(refusal_of(head + "0\r\n folded: x\r\n\r\n"), 400);
  EXPECT_EQ(refusal_of(head + "0\r\nno colon\r\n\r\n"), 400);
  EXPECT_EQ(refusal_of(head + "2\r\nabX\r\n0\r\n\r\n"), 400);
  EXPECT_EQ(refusal_of(head + "2\r\nab." + std::string(2000, 'x')), 400);
  EXPECT_EQ(refusal_of(head + "10000000000000000\r\n"), 400);  // 2^64
  EXPECT_EQ(refusal_of(head + "1;" + std::string(2000, 'e')), 413);
  EXPECT_EQ(refusal_of(head + "0\r\nT: " + std::string(2000, 'e')), 413);
}

// A body in one-octet chunks with long extensions costs the peer as much as us, and ends.
TEST(RequestReader, ChunkFramingIsBounded) {
  std::string bytes = "POST /c HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (std::size_t i = 0; i < kBodyLimit; ++i) bytes += "1;" + std::string(900, 'e') + "\r\nx\r\n";
  EXPECT_EQ(refusal_of(bytes), 413);
}

// RFC 9112 6.3: what two parties could frame differently is refused.
TEST(RequestReader, AmbiguousFramingIsRefused) {
  const auto with = [](std::string_view fields) { return "POST / HTTP/1.1\r\nHost: a\r\n" + std::string(fields) + "\r\n\r\n"; };
  EXPECT_EQ(refusal_of(with("Content-Length: 5\r\nTransfer-Encoding: chunked")), 400);
  EXPECT_EQ(refusal_of(with("Transfer-Encoding: chunked\r\nContent-Length: 5")), 400);
  EXPECT_EQ(refusal_of(with("Content-Length: 5\r\nContent-Length: 5")), 400);
  EXPECT_EQ(refusal_of(with("Content-Length: 5, 5")), 400);
  EXPECT_EQ(refusal_of(with("Content-Length: +5")), 400);
  EXPECT_EQ(refusal_of(with("Content-Length: -1")), 400);
  EXPECT_EQ(refusal_of(with("Content-Length: 0x10")), 400);
  EXPECT_EQ(refusal_of(with("Content-Length:")), 400);
  EXPECT_EQ(refusal_of(with("Content-Length: 9999999999999999999999")), 400);
  EXPECT_EQ(refusal_of(with("Content-Length: 999999999999999999")), 413);
  EXPECT_EQ(refusal_of(with("Content-Length: 65")), 413);
  EXPECT_EQ(refusal_of(with("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked")), 400);
  EXPECT_EQ(refusal_of(with("Transfer-Encoding: gzip, chunked")), 501);
  EXPECT_EQ(refusal_of(with("Transfer-Encoding: identity")), 501);
  EXPECT_EQ(refusal_of(with("Content-Length : 5")), 400);
  EXPECT_EQ(refusal_of("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"), 400);
}

TEST(RequestReader, MalformedHeadersAreRefused) {
  using std::string_literals::operator""s;
  const auto with = [](std::string_view fields) { return "GET / HTTP/1.1\r\nHost: a\r\n" + std::string(fields) + "\r\n\r\n"; };
  EXPECT_EQ(refusal_of(with("X: a\r\n folded")), 400);
  EXPECT_EQ(refusal_of(with("X:\r\n\tfolded")), 400);
  EXPECT_EQ(refusal_of(with("X: a\r\n ")), 400);
  EXPECT_EQ(refusal_of(with("X: a\0b"s)), 400);
  EXPECT_EQ(refusal_of(with("X\0: a"s)), 400);
  EXPECT_EQ(refusal_of(with("X: a\rb")), 400);
  EXPECT_EQ(refusal_of(with("X: a\nY: b")), 400);
  EXPECT_EQ(refusal_of(with("no colon")), 400);
  EXPECT_EQ(refusal_of(with(": no name")), 400);
  EXPECT_EQ(refusal_of(with("Host: b")), 400);
  EXPECT_EQ(refusal_of("GET / HTTP/1.1\r\n\r\n"), 400);  // no Host
  EXPECT_EQ(refusal_of("GET / HTTP/1.1\nHost: a\n\n"), 400);
  EXPECT_EQ(refusal_of(with("Expect: 200-ok")), 417);
}

TEST(RequestReader, MalformedRequestLinesAreRefused) {
  const auto line = [](std::string_view text) { return refusal_of(std::string(text) + "\r\nHost: a\r\n\r\n"); };
  EXPECT_EQ(line("GET  / HTTP/1.1"), 400);
  EXPECT_EQ(line("GET / HTTP/1.1 "), 400);
  EXPECT_EQ(line(" GET / HTTP/1.1"), 400);
  EXPECT_EQ(line("GET relative HTTP/1.1"), 400);
  EXPECT_EQ(line("GET * HTTP/1.1"), 400);
  EXPECT_EQ(line("GET /a#b HTTP/1.1"), 400);
  EXPECT_EQ(line("GET /caf\xc3\xa9 HTTP/1.1"), 400);
  EXPECT_EQ(line("GET /\x7f HTTP/1.1"), 400);
  EXPECT_EQ(line("G@T / HTTP/1.1"), 400);
  EXPECT_EQ(line("GET / HTTX/1.1"), 400);
  EXPECT_EQ(line("GET / http/1.1"), 400);
  EXPECT_EQ(line("CONNECT a:443 HTTP/1.1"), 501);
  EXPECT_EQ(refusal_of("\x16\x03\x01\x02\x01\x01\xfc\x03\x03"), 400);  // a TLS ClientHello on the plain port
}

TEST(RequestReader, OtherVersions) {
  EXPECT_EQ(refusal_of("GET / HTTP/2.0\r\nHost: a\r\n\r\n"), 505);
  EXPECT_EQ(refusal_of("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), 505);
  EXPECT_EQ(refusal_of("GET / HTTP/1.2\r\nHost: a\r\n\r\n"), 505);
  EXPECT_EQ(refusal_of("GET / HTTP/0.9\r\nHost: a\r\n\r\n"), 505);
  EXPECT_EQ(only_request("GET / HTTP/1.0\r\n\r\n"), "GET /  ");
}

// RFC 9112 3.2.2.
TEST(RequestReader, AbsoluteForm) {
  EXPECT_EQ(only_request("GET http://h:8000/sign?x HTTP/1.1\r\nHost: a\r\n\r\n"), "GET /sign x ");
  EXPECT_EQ(only_request("GET HTTPS://h HTTP/1.1\r\nHost: a\r\n\r\n"), "GET /  ");
  EXPECT_EQ(only_request("GET http://h?x HTTP/1.1\r\nHost: a\r\n\r\n"), "GET / x ");
  EXPECT_EQ(refusal_of("GET http:///x HTTP/1.1\r\nHost: a\r\n\r\n"), 400);
  EXPECT_EQ(refusal_of("GET ftp://h/x HTTP/1.1\r\nHost: a\r\n\r\n"), 400);
}

TEST(RequestReader, HeaderLimits) {
  const std::string start = "GET / HTTP/1.1\r\nHost: a\r\n";
  const std::string fits = start + "X: " + std::string(kHeaderLimit - start.size() - 7, 'x') + "\r\n\r\n";
  ASSERT_EQ(fits.size(), kHeaderLimit);
  EXPECT_EQ(only_request(fits), "GET /  ");
  EXPECT_EQ(refusal_of(start + "X: " + std::string(kHeaderLimit - start.size() - 6, 'x') + "\r\n\r\n"), 431);
  EXPECT_EQ(refusal_of("GET /" + std::string(kHeaderLimit, 'a')), 431);
  EXPECT_EQ(refusal_of(start + std::string(kHeaderLimit, 'x')), 431);
  std::string many = start;
  for (int i = 0; i < 100; ++i) many += "a: b\r\n";
  EXPECT_EQ(refusal_of(many + "\r\n"), 431);
}

// RFC 9112 2.2.
TEST(RequestReader, OneEmptyLineBeforeTheRequestIsIgnored) {
  EXPECT_EQ(only_request("\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"), "GET /  ");
  EXPECT_EQ(refusal_of("\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"), 400);
  EXPECT_EQ(refusal_of("\rGET / HTTP/1.1\r\nHost: a\r\n\r\n"), 400);
}

TEST(RequestReader, ContinueIsAskedForOnceAndOnlyWhileTheBodyIsAwaited) {
  const std::string head = "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\nContent-Length: 2\r\n\r\n";
  RequestReader reader(kHeaderLimit, kBodyLimit);
  EXPECT_EQ(reader.feed(head.substr(0, 20)), ReadProgress::need_more);
  EXPECT_FALSE(reader.take_continue());
  EXPECT_EQ(reader.feed(head.substr(20)), ReadProgress::need_more);
  EXPECT_TRUE(reader.take_continue());
  EXPECT_FALSE(reader.take_continue());
  EXPECT_EQ(reader.feed("ab"), ReadProgress::complete);
  reader.clear();
  EXPECT_EQ(reader.feed(head + "a"), ReadProgress::need_more);
  EXPECT_FALSE(reader.take_continue());  // the body is on its way already
  reader.clear();
  EXPECT_EQ(reader.feed("POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"), ReadProgress::need_more);
  EXPECT_FALSE(reader.take_continue());  // RFC 9110 10.1.1: not to a 1.0 client
}

TEST(RequestReader, ClearForgetsARefusal) {
  RequestReader reader(kHeaderLimit, kBodyLimit);
  EXPECT_EQ(reader.feed("nonsense\r\n\r\n"), ReadProgress::refused);
  EXPECT_EQ(reader.feed("GET / HTTP/1.1\r\nHost: a\r\n\r\n"), ReadProgress::refused);
  reader.clear();
  EXPECT_TRUE(reader.empty());
  EXPECT_EQ(reader.feed("GET / HTTP/1.1\r\nHost: a\r\n\r\n"), ReadProgress::complete);
}

}  // namespace
}  // namespace birthmark::net
