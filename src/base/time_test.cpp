// SPDX-License-Identifier: Apache-2.0
#include "base/time.h"

#include <gtest/gtest.h>

namespace birthmark {
namespace {

using namespace std::chrono_literals;

TEST(Rfc3339, RoundTrip) {
  const auto at = parse_rfc3339("2026-11-20T16:05:09.123Z");
  ASSERT_TRUE(at);
  EXPECT_EQ(format_rfc3339_ms(*at), "2026-11-20T16:05:09.123Z");
  EXPECT_EQ(format_rfc3339(*at), "2026-11-20T16:05:09Z");
}

TEST(Rfc3339, LeapDayAndEpoch) {
  EXPECT_EQ(to_unix_ms(*parse_rfc3339("1970-01-01T00:00:00Z")), 0);
  EXPECT_TRUE(parse_rfc3339("2028-02-29T00:00:00Z"));
  EXPECT_FALSE(parse_rfc3339("2027-02-29T00:00:00Z"));
}

TEST(Rfc3339, RefusesOtherForms) {
  for (const char* text : {"", "2026-11-20", "2026-11-20 16:05:09Z", "2026-11-20T16:05:09", "2026-11-20T24:00:00Z",
                           "2026-11-20T16:05:09.1Z", "2026-13-20T16:05:09Z", "2026-11-20T16:05:09Zx", "-026-11-20T16:05:09Z"}) {
    EXPECT_FALSE(parse_rfc3339(text)) << text;
  }
}

TEST(DurationText, OneNumberOneUnit) {
  EXPECT_EQ(*parse_duration("90s"), Duration(90s));
  EXPECT_EQ(*parse_duration("15m"), Duration(15min));
  EXPECT_EQ(*parse_duration("24h"), Duration(24h));
  EXPECT_EQ(*parse_duration("7d"), Duration(168h));
  EXPECT_EQ(format_duration(*parse_duration("7300d")), "20y");
  EXPECT_EQ(format_duration(Duration(1500)), "1500ms");
}

TEST(DurationText, RefusesNonsense) {
  for (const char* text : {"", "s", "5", "-5s", "5 s", "5x", "5.5h", "99999999999999999999y", "9007199254740993y"}) {
    EXPECT_FALSE(parse_duration(text)) << text;
  }
}

}  // namespace
}  // namespace birthmark
