// SPDX-License-Identifier: Apache-2.0
// Responses as bytes: framing, and what a handler must not be able to do to it.
#include "net/response_writer.h"

#include <gtest/gtest.h>

namespace birthmark::net {
namespace {

constexpr std::string_view kDate = "Thu, 01 Jan 1970 00:00:00 GMT";

std::string written(const Response& response, Persistence persistence = Persistence::keep, BodyUse use = BodyUse::send) {
  std::string text;
  write_response(text, response, persistence, use, kDate);
  return text;
}

Response with_status(int status) {
  Response response;
  response.status = status;
  response.body = "{}";
  return response;
}

TEST(ResponseWriter, WritesStatusLengthAndBody) {
  EXPECT_EQ(written(with_status(201)),
            "HTTP/1.1 201 Created\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}");
}

TEST(ResponseWriter, TellsPersistence) {
  EXPECT_NE(written(with_status(200), Persistence::close).find("\r\nConnection: close\r\n"), std::string::npos);
  EXPECT_NE(written(with_status(200), Persistence::keep_and_tell).find("\r\nConnection: keep-alive\r\n"), std::string::npos);
  EXPECT_EQ(written(with_status(200)).find("Connection"), std::string::npos);
}

// RFC 9110 9.3.2: the length that GET would have, and no body.
TEST(ResponseWriter, HeadHasTheLengthWithoutTheBody) {
  const std::string text = written(with_status(200), Persistence::keep, BodyUse::omit);
  EXPECT_NE(text.find("Content-Length: 2\r\n"), std::string::npos);
  EXPECT_TRUE(text.ends_with("\r\n\r\n"));
}

TEST(ResponseWriter, NoContentHasNeitherLengthNorBody) {
  const std::string text = written(with_status(204));
  EXPECT_EQ(text.find("Content-"), std::string::npos);
  EXPECT_TRUE(text.ends_with("\r\n\r\n"));
}

TEST(ResponseWriter, HandlersCannotTouchTheFraming) {
  Response response = with_status(200);
  response.headers = {{"Content-Length", "99"}, {"connection", "close"}, {"Transfer-Encoding", "chunked"}, {"X-Ours", "kept"}};
  const std::string text = written(response);
  EXPECT_EQ(text.find("99"), std::string::npos);
  EXPECT_EQ(text.find("close"), std::string::npos);
  EXPECT_EQ(text.find("chunked"), std::string::npos);
  EXPECT_NE(text.find("\r\nX-Ours: kept\r\n"), std::string::npos);
}

TEST(ResponseWriter, RefusesToInjectHeaders) {
  using std::string_literals::operator""s;
  EXPECT_TRUE(is_writable(with_status(200)));
  EXPECT_FALSE(is_writable(with_status(0)));
  EXPECT_FALSE(is_writable(with_status(100)));
  EXPECT_FALSE(is_writable(with_status(600)));
  const auto with_header = [](std::string name, std::string value) {
    Response response = with_status(200);
    response.headers.emplace_back(std::move(name), std::move(value));
    return is_writable(response);
  };
  EXPECT_TRUE(with_header("Location", "/a?b=c d"));
  EXPECT_FALSE(with_header("Location", "/a\r\nSet-Cookie: x"));
  EXPECT_FALSE(with_header("Location", "/a\nx"));
  EXPECT_FALSE(with_header("Location", "/a\0x"s));
  EXPECT_FALSE(with_header("Loc ation", "/a"));
  EXPECT_FALSE(with_header("Location:", "/a"));
  EXPECT_FALSE(with_header("", "/a"));
  Response response = with_status(200);
  response.content_type = "text/plain\r\nX: y";
  EXPECT_FALSE(is_writable(response));
}

TEST(ResponseWriter, HttpDate) {
  EXPECT_EQ(format_http_date(0), "Thu, 01 Jan 1970 00:00:00 GMT");
  EXPECT_EQ(format_http_date(784'111'777), "Sun, 06 Nov 1994 08:49:37 GMT");  // RFC 9110 5.6.7's example
  EXPECT_EQ(format_http_date(2'208'988'800), "Sun, 01 Jan 2040 00:00:00 GMT");
}

TEST(JsonError, EscapesItsMessage) {
  const Response response = json_error(409, "key \"A\"\nis known");
  EXPECT_EQ(response.status, 409);
  EXPECT_EQ(response.content_type, "application/json");
  EXPECT_EQ(response.body, "{\"message\": \"key \\\"A\\\"\\nis known\"}\n");
}

}  // namespace
}  // namespace birthmark::net
