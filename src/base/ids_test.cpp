// SPDX-License-Identifier: Apache-2.0
#include "base/ids.h"

#include <gtest/gtest.h>

namespace birthmark {
namespace {

TEST(SerialNumber, LeadingZerosGoAndTheTopBitIsPadded) {
  const auto serial = Serial::from_magnitude(Bytes{0, 0, 0x80, 1});
  ASSERT_TRUE(serial);
  EXPECT_EQ(serial->hex(), "8001");
  EXPECT_EQ(serial->der_contents(), (Bytes{0, 0x80, 1}));
}

// RFC 5280 4.1.2.2: positive, at most 20 octets.
TEST(SerialNumber, RefusesZeroAndMoreThan20Octets) {
  EXPECT_FALSE(Serial::from_magnitude(Bytes{}));
  EXPECT_FALSE(Serial::from_magnitude(Bytes(20, 0)));
  EXPECT_TRUE(Serial::from_magnitude(Bytes(20, 0x7f)));
  EXPECT_FALSE(Serial::from_magnitude(Bytes(20, 0x80)));
  EXPECT_FALSE(Serial::from_magnitude(Bytes(21, 0x01)));
}

}  // namespace
}  // namespace birthmark
