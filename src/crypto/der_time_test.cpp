// SPDX-License-Identifier: Apache-2.0
#include "crypto/der_time.h"

#include <gtest/gtest.h>

#include "crypto/der_writer.h"
#include "crypto/openssl.h"
#include "crypto/test_support.h"

namespace birthmark::crypto {
namespace {

std::optional<Instant> read(der::Tag tag, std::string_view text) {
  const Bytes encoded = der::value(tag, {as_bytes(text)});
  return read_time(*der::read_single(encoded, tag));
}

std::string write(std::string_view moment) {
  Bytes encoded;
  if (!append_time(encoded, testing::must(parse_rfc3339(moment)))) return "refused";
  return (encoded[0] == der::kUtcTime ? "utc " : "generalized ") + std::string(as_text(ByteView(encoded).subspan(2)));
}

TEST(DerTime, IsUtcTimeUntil2049AndGeneralizedTimeAfter) {  // RFC 5280 4.1.2.5
  EXPECT_EQ(write("1950-01-01T00:00:00Z"), "utc 500101000000Z");
  EXPECT_EQ(write("2026-11-20T16:05:09Z"), "utc 261120160509Z");
  EXPECT_EQ(write("2049-12-31T23:59:59Z"), "utc 491231235959Z");
  EXPECT_EQ(write("2050-01-01T00:00:00Z"), "generalized 20500101000000Z");
  EXPECT_EQ(write("9999-12-31T23:59:59Z"), "generalized 99991231235959Z");
}

TEST(DerTime, RefusesMomentsThatNoTimeExpresses) {
  EXPECT_EQ(write("2026-11-20T16:05:09.500Z"), "refused");
  Bytes to;
  EXPECT_FALSE(append_time(to, std::chrono::sys_days(std::chrono::year(1949) / 12 / 31)));
  EXPECT_FALSE(append_time(to, std::chrono::sys_days(std::chrono::year(10000) / 1 / 1)));
}

TEST(DerTime, ReadsWhatItWrites) {
  for (const char* moment : {"1950-01-01T00:00:00Z", "1999-12-31T23:59:59Z", "2028-02-29T12:34:56Z", "2049-12-31T23:59:59Z",
                             "2050-01-01T00:00:00Z", "9999-12-31T23:59:59Z"}) {
    const Instant at = testing::must(parse_rfc3339(moment));
    Bytes encoded;
    ASSERT_TRUE(append_time(encoded, at));
    EXPECT_EQ(read_time(*der::read_single(encoded, encoded[0])), at) << moment;
  }
}

TEST(DerTime, RefusesMalformedText) {
  for (const char* text :
       {"", "Z", "2611201605Z", "261120160509", "261120160509+0000", "261320160509Z", "260020160509Z", "260230160509Z", "260229160509Z",
        "261120240509Z", "261120166009Z", "261120160560Z", "26112016050 Z", "261120160509ZZ", "-61120160509Z", "261120160509.1Z"})
    EXPECT_FALSE(read(der::kUtcTime, text)) << text;
  for (const char* text : {"261120160509Z", "20261120160509", "20261120160509.5Z", "20260229160509Z"})
    EXPECT_FALSE(read(der::kGeneralizedTime, text)) << text;
  EXPECT_FALSE(read(der::kUtf8String, "261120160509Z"));
}

}  // namespace
}  // namespace birthmark::crypto
