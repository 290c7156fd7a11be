// SPDX-License-Identifier: Apache-2.0
#include "net/http_date.h"

#include <gtest/gtest.h>

#include "net/response_writer.h"

namespace birthmark::net {
namespace {

TEST(HttpDate, BothSpellingsOfTheZoneAreOneMoment) {
  const auto moment = parse_http_date("Fri, 20 Nov 2026 10:00:00 GMT");
  ASSERT_TRUE(moment);
  EXPECT_EQ(format_http_date(*moment), "Fri, 20 Nov 2026 10:00:00 GMT");
  EXPECT_EQ(parse_http_date("Fri, 20 Nov 2026 10:00:00 UTC"), moment);
}

TEST(HttpDate, AnythingElseIsNoDate) {
  for (const char* text : {"", "Fri, 20 Nov 2026 10:00:00 CET", "Fri, 20 Foo 2026 10:00:00 GMT", "Fri, 32 Nov 2026 10:00:00 GMT",
                           "2026-11-20T10:00:00Z", "Friday, 20-Nov-26 10:00:00 GMT", "Fri, -1 Nov 2026 10:00:00 GMT"}) {
    EXPECT_FALSE(parse_http_date(text)) << text;
  }
}

}  // namespace
}  // namespace birthmark::net
