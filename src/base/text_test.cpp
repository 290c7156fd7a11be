// SPDX-License-Identifier: Apache-2.0
#include "base/text.h"

#include <gtest/gtest.h>

namespace birthmark {
namespace {

TEST(Hex, RoundTripAndEitherCase) {
  const Bytes bytes{0x00, 0x7f, 0xff, 0xa5};
  EXPECT_EQ(to_hex(bytes), "007fffa5");
  EXPECT_EQ(from_hex("007FffA5"), bytes);
  EXPECT_FALSE(from_hex("0"));
  EXPECT_FALSE(from_hex("0g"));
}

// RFC 4648 section 10.
TEST(Base64, VectorsOfTheRfc) {
  const std::pair<const char*, const char*> vectors[] = {
      {"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"}, {"foob", "Zm9vYg=="}, {"fooba", "Zm9vYmE="}, {"foobar", "Zm9vYmFy"}};
  for (const auto& [plain, encoded] : vectors) {
    EXPECT_EQ(to_base64(as_bytes(plain)), encoded);
    ASSERT_TRUE(from_base64(encoded)) << encoded;
    EXPECT_EQ(as_text(*from_base64(encoded)), plain);
  }
}

TEST(Base64, RefusesWhatIsNotCanonical) {
  for (const char* text : {"Zg", "Zg=", "Zg===", "=Zg=", "Zh==", "Zm9=", "Zm 9v", "Zm9v\n", "Zm-_"})
    EXPECT_FALSE(from_base64(text)) << text;
}

TEST(UuidText, EitherCaseOneMeaning) {
  const auto uuid = parse_uuid("28D32F3A-4387-4ecf-91AE-872d54289179");
  ASSERT_TRUE(uuid);
  EXPECT_EQ(format_uuid(*uuid), "28d32f3a-4387-4ecf-91ae-872d54289179");
}

TEST(UuidText, RefusesOtherShapes) {
  for (const char* text :
       {"", "28d32f3a43874ecf91ae872d54289179", "28d32f3a-4387-4ecf-91ae-872d5428917", "28d32f3a-4387-4ecf-91ae-872d5428917g",
        "28d32f3a+4387-4ecf-91ae-872d54289179", "{28d32f3a-4387-4ecf-91ae-872d54289}"}) {
    EXPECT_FALSE(parse_uuid(text)) << text;
  }
}

// RFC 3629 section 4.
TEST(Utf8, AcceptsExactlyTheWellFormed) {
  for (const char* text : {"", "ascii", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80"}) EXPECT_TRUE(is_utf8(text)) << text;
  for (const char* text : {"\x80", "\xc0\x80", "\xc3", "\xe0\x80\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xff"})
    EXPECT_FALSE(is_utf8(text));
}

TEST(JsonEscape, QuotesControlsAndBrokenUtf8) {
  EXPECT_EQ(json_string("a\"b\\c\n\t\r"), R"("a\"b\\c\n\t\r")");
  EXPECT_EQ(json_string(std::string_view("\0\x1f\x7f", 3)), "\"\\u0000\\u001f\\u007f\"");
  EXPECT_EQ(json_string("\xc3\xa9\xff!"), "\"\xc3\xa9\xef\xbf\xbd!\"");
  // Wherever it stands in a long run, and whatever stands beside it.
  const std::string plain = " !#$%&'()*+,-./:;<=>?@[]^_`{|}~azAZ09";
  for (const auto& [raw, escaped] : std::vector<std::pair<std::string, std::string>>{{"\"", "\\\""},
                                                                                     {"\\", "\\\\"},
                                                                                     {"\n", "\\n"},
                                                                                     {std::string(1, '\0'), "\\u0000"},
                                                                                     {"\x1f", "\\u001f"},
                                                                                     {"\x7f", "\\u007f"},
                                                                                     {"\xff", "\xef\xbf\xbd"},
                                                                                     {"\xc3\xa9", "\xc3\xa9"}})
    for (std::size_t at = 0; at <= plain.size(); ++at)
      EXPECT_EQ(json_string(plain.substr(0, at) + raw + plain.substr(at)), '"' + plain.substr(0, at) + escaped + plain.substr(at) + '"')
          << at;
}

}  // namespace
}  // namespace birthmark
