// SPDX-License-Identifier: Apache-2.0
// Listening addresses as operators write them.
#include <gtest/gtest.h>

#include "net/server.h"

namespace birthmark::net {
namespace {

TEST(Endpoint, ReadsAndPrintsEveryForm) {
  for (const char* text : {"127.0.0.1:8000", ":8000", "[::1]:8000", "localhost:8000", "0.0.0.0:0", "[::]:65535"}) {
    const auto endpoint = parse_endpoint(text);
    ASSERT_TRUE(endpoint) << text;
    EXPECT_EQ(to_string(*endpoint), text);
  }
  EXPECT_EQ(parse_endpoint("[::1]:80")->host, "::1");
  EXPECT_EQ(parse_endpoint(":80")->host, "");
  EXPECT_EQ(parse_endpoint(":80")->port, 80);
}

TEST(Endpoint, RefusesTheRest) {
  for (const char* text :
       {"", "8000", "host", "host:", "host:x", "host:-1", "host:65536", "host:000080", "::1:80", "[::1:80", "[]:80", "[a]:80"}) {
    EXPECT_FALSE(parse_endpoint(text)) << text;
  }
}

}  // namespace
}  // namespace birthmark::net
