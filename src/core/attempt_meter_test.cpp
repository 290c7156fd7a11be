// SPDX-License-Identifier: Apache-2.0
#include "core/attempt_meter.h"

#include <gtest/gtest.h>

namespace birthmark::core {
namespace {

using std::chrono::seconds;

TEST(AttemptMeter, SlowsTheOneWhoGuessesAndNobodyElse) {
  AttemptMeter meter({3, seconds(10)});
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(meter.count("192.0.2.1", seconds(100)));
  const auto wait = meter.count("192.0.2.1", seconds(100));
  ASSERT_TRUE(wait);
  EXPECT_GE(*wait, seconds(1));
  EXPECT_FALSE(meter.count("192.0.2.2", seconds(100)));
  EXPECT_FALSE(meter.count("192.0.2.1", seconds(111)));  // one has recovered
  EXPECT_TRUE(meter.count("192.0.2.1", seconds(111)));
}

TEST(AttemptMeter, CountsAnIpv6NetworkAsOne) {
  EXPECT_EQ(metered_network("2001:db8::1"), metered_network("2001:db8::ffff:2"));
  EXPECT_NE(metered_network("2001:db8::1"), metered_network("2001:db8:0:1::1"));
  EXPECT_NE(metered_network("192.0.2.1"), metered_network("192.0.2.2"));
}

}  // namespace
}  // namespace birthmark::core
