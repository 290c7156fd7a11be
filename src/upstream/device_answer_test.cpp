// SPDX-License-Identifier: Apache-2.0
#include "upstream/device_answer.h"

#include <gtest/gtest.h>

namespace birthmark::upstream {
namespace {

constexpr std::time_t kNow = 1'795'172'400;  // Fri, 20 Nov 2026 11:00:00 GMT

std::optional<Duration> wait_of(const std::string& retry_after_header, const std::string& date = {}) {
  net::ClientResponse response;
  response.headers.emplace_back("Retry-After", retry_after_header);
  if (!date.empty()) response.headers.emplace_back("Date", date);
  return retry_after(response, kNow);
}

TEST(RetryAfter, IsANumberOfSeconds) {
  EXPECT_EQ(wait_of("0"), Duration::zero());
  EXPECT_EQ(wait_of("120"), std::chrono::seconds(120));
  EXPECT_EQ(wait_of("999999999"), std::chrono::hours(24));
}

TEST(RetryAfter, OrADateThatCountsFromTheAnswersOwnDate) {
  EXPECT_EQ(wait_of("Fri, 20 Nov 2026 10:02:00 GMT", "Fri, 20 Nov 2026 10:00:00 GMT"), std::chrono::minutes(2));
  EXPECT_EQ(wait_of("Fri, 20 Nov 2026 09:00:00 GMT", "Fri, 20 Nov 2026 10:00:00 GMT"), Duration::zero());
  EXPECT_EQ(wait_of("Sun, 20 Dec 2026 10:00:00 GMT", "Fri, 20 Nov 2026 10:00:00 GMT"), std::chrono::hours(24));
}

TEST(RetryAfter, OrFromOurClockWhereItHasNone) {
  EXPECT_EQ(wait_of("Fri, 20 Nov 2026 11:05:00 GMT"), std::chrono::minutes(5));
}

TEST(RetryAfter, AnythingElseIsNone) {
  for (const char* text : {"", "-1", "soon", "1.5", "Fri, 20 Nov 2026", "2026-11-20T10:00:00Z"}) EXPECT_FALSE(wait_of(text)) << text;
  EXPECT_FALSE(retry_after({}, kNow));
}

}  // namespace
}  // namespace birthmark::upstream
