// SPDX-License-Identifier: Apache-2.0
#include "crypto/der_reader.h"

#include <gtest/gtest.h>

#include "base/text.h"
#include "crypto/der_writer.h"

namespace birthmark::crypto::der {
namespace {

Bytes hex(std::string_view digits) {
  return from_hex(digits).value();
}

TEST(DerReader, TakesOneValueAfterTheOther) {
  const Bytes input =
      hex("020105"
          "0c026869"
          "3000");
  Reader reader(input);
  const auto number = reader.read(kInteger);
  ASSERT_TRUE(number);
  EXPECT_EQ(to_bytes(number->contents), hex("05"));
  EXPECT_EQ(to_bytes(number->whole), hex("020105"));
  EXPECT_FALSE(reader.read(kInteger)) << "another tag";
  EXPECT_TRUE(reader.next_is(kUtf8String));
  EXPECT_EQ(as_text(reader.read(kUtf8String)->contents), "hi");
  EXPECT_FALSE(reader.at_end());
  EXPECT_TRUE(reader.read_any());
  EXPECT_TRUE(reader.at_end());
  EXPECT_FALSE(reader.read_any());
}

TEST(DerReader, ReadsLongLengthsInTheirShortestFormOnly) {
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{127}, std::size_t{128}, std::size_t{255}, std::size_t{256}, std::size_t{65'535}, std::size_t{65'536}}) {
    const Bytes contents(size, 0x61);
    const Bytes encoded = value(kOctetString, {contents});
    EXPECT_EQ(encoded.size(), header_size(size) + size);
    const auto read = read_single(encoded, kOctetString);
    ASSERT_TRUE(read) << size;
    EXPECT_EQ(read->contents.size(), size);
    EXPECT_FALSE(find_fault(encoded));
    for (std::size_t cut = 0; cut < std::min<std::size_t>(encoded.size(), 300); ++cut)
      EXPECT_FALSE(read_single(ByteView(encoded).first(cut), kOctetString)) << size << " cut to " << cut;
  }
}

struct Faulty {
  const char* encoding;
  const char* phrase;
};
class DerFault : public ::testing::TestWithParam<Faulty> {};

TEST_P(DerFault, IsNamed) {
  const auto fault = find_fault(hex(GetParam().encoding));
  ASSERT_TRUE(fault.has_value()) << GetParam().encoding;
  EXPECT_NE(fault->find(GetParam().phrase), std::string_view::npos) << *fault;
}

INSTANTIATE_TEST_SUITE_P(
    X690, DerFault,
    ::testing::Values(Faulty{"30", "cut short"}, Faulty{"3001", "cut short"}, Faulty{"3082", "cut short"}, Faulty{"30820100", "cut short"},
                      Faulty{"30840000000100", "shortest form"},
                      Faulty{"3080"
                             "0000",
                             "indefinite"},
                      Faulty{"308100", "shortest form"}, Faulty{"30817f", "shortest form"}, Faulty{"30820080", "shortest form"},
                      Faulty{"308500000000010500", "more than four"}, Faulty{"30ff", "more than four"},
                      Faulty{"1f8101"
                             "00",
                             "tag number"},
                      Faulty{"3f8101"
                             "00",
                             "tag number"},
                      Faulty{"0200", "INTEGER"}, Faulty{"02020001", "shortest form"}, Faulty{"0202ff80", "shortest form"},
                      Faulty{"0100", "BOOLEAN"}, Faulty{"010101", "BOOLEAN"},
                      Faulty{"0500"
                             "050100",
                             "NULL"},
                      Faulty{"0600", "cut short"}, Faulty{"060180", "shortest form"}, Faulty{"060181", "cut short"},
                      Faulty{"0603558004", "shortest form"}, Faulty{"0300", "BIT STRING"}, Faulty{"030108", "unused bits"},
                      Faulty{"030101", "unused bits"}, Faulty{"03020101", "not zero"}, Faulty{"2c040c026869", "must be primitive"},
                      Faulty{"240404026161", "must be primitive"}, Faulty{"2800", "must be primitive"}, Faulty{"2b00", "must be primitive"},
                      Faulty{"1000", "primitive SEQUENCE"}, Faulty{"1100", "primitive SEQUENCE"}, Faulty{"0000", "end-of-contents"},
                      Faulty{"30030202"
                             "00",
                             "cut short"}));

TEST(DerFault, IsNotFoundInDer) {
  for (const char* encoding : {"", "3000", "0500", "0101ff", "010100", "020100", "02020080", "0201ff", "0202ff7f", "030100", "03020780",
                               "0603550403", "a003020102", "8001ff",
                               "310c300a06035504030c036162"
                               "63"})
    EXPECT_FALSE(find_fault(hex(encoding)).has_value()) << encoding;
}

TEST(DerFault, DepthIsBounded) {
  Bytes nested;
  for (int level = 0; level < 16; ++level) nested = value(kSequence, {nested});
  EXPECT_FALSE(find_fault(nested));
  for (int level = 0; level < 5'000; ++level) nested = value(kSequence, {nested});
  EXPECT_EQ(find_fault(nested), "it is nested too deeply");
}

TEST(DerReader, KnowsTheOrderOfASetOf) {  // X.690 11.6
  EXPECT_TRUE(members_ascend(hex("")));
  EXPECT_TRUE(
      members_ascend(hex("020101"
                         "020102"
                         "0c0161")));
  EXPECT_TRUE(
      members_ascend(hex("020101"
                         "020101")));
  EXPECT_FALSE(
      members_ascend(hex("020102"
                         "020101")));
  EXPECT_FALSE(
      members_ascend(hex("0c0161"
                         "020101")));
}

TEST(DerReader, GivesWholeOctetsOfABitString) {
  const auto octets = [](std::string_view digits) { return whole_octets(*read_single(hex(digits), kBitString)).has_value(); };
  EXPECT_TRUE(octets("030200ff"));
  EXPECT_TRUE(octets("030100"));
  EXPECT_FALSE(octets("03020780"));
  EXPECT_FALSE(octets("0300"));
}

}  // namespace
}  // namespace birthmark::crypto::der
