// SPDX-License-Identifier: Apache-2.0
// RFC 7468.
#include "base/pem.h"

#include <gtest/gtest.h>

namespace birthmark {
namespace {

TEST(Pem, LinesOf64ColumnsAndARoundTrip) {
  Bytes contents(100);
  for (std::size_t i = 0; i < contents.size(); ++i) contents[i] = static_cast<std::uint8_t>(i);
  const std::string pem = encode_pem("CERTIFICATE", contents);
  EXPECT_EQ(pem.rfind("-----BEGIN CERTIFICATE-----\n", 0), 0U);
  EXPECT_EQ(pem.find('\n', 28) - 28, 64U);
  EXPECT_TRUE(pem.ends_with("-----END CERTIFICATE-----\n"));
  const auto blocks = decode_pem(pem);
  ASSERT_TRUE(blocks && blocks->size() == 1);
  EXPECT_EQ(blocks->front().contents, contents);
}

TEST(Pem, ProseBlankLinesAndCrLfAreSkipped) {
  const auto blocks =
      decode_pem("prose\r\n-----BEGIN A-----\r\nAAAA\r\n-----END A-----\r\n\r\n## more\n-----BEGIN B-----\nAQ== \n-----END B-----");
  ASSERT_TRUE(blocks);
  ASSERT_EQ(blocks->size(), 2U);
  EXPECT_EQ((*blocks)[0].label, "A");
  EXPECT_EQ((*blocks)[1].contents, Bytes{1});
}

TEST(Pem, BrokenBlocksAreNamed) {
  for (const char* text :
       {"-----BEGIN A-----\nAAAA\n", "-----BEGIN A-----\nAAAA\n-----END B-----\n", "-----BEGIN A-----\n!!!!\n-----END A-----\n",
        "-----BEGIN A-----\n-----END A-----\n", "-----BEGIN A-----\nAAAA\n-----BEGIN A-----\n"}) {
    const auto blocks = decode_pem(text);
    ASSERT_FALSE(blocks) << text;
    EXPECT_NE(blocks.error().public_message.find("'A'"), std::string::npos) << blocks.error().public_message;
  }
}

TEST(Pem, FirstBlockDoesNotCareWhatFollows) {
  EXPECT_TRUE(decode_first_pem("-----BEGIN A-----\nAAAA\n-----END A-----\n-----BEGIN broken"));
  EXPECT_EQ(decode_first_pem("nothing here").error().code, ErrorCode::not_found);
}

}  // namespace
}  // namespace birthmark
