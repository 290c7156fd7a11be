// SPDX-License-Identifier: Apache-2.0
#include "crypto/name_reader.h"

#include <gtest/gtest.h>

#include "crypto/der_reader.h"
#include "crypto/der_writer.h"
#include "crypto/object_identifiers.h"
#include "crypto/test_support.h"

namespace birthmark::crypto {
namespace {

using core::NameAttribute;
using core::NameAttributeType;
using testing::must;

constexpr der::Tag kBmpString = 0x1e;

Bytes attribute(ByteView type, std::string_view text, der::Tag tag = der::kUtf8String) {
  return der::value(der::kSequence, {der::value(der::kObjectIdentifier, {type}), der::value(tag, {as_bytes(text)})});
}
Bytes alone(const Bytes& pair) {
  return der::value(der::kSet, {pair});
}
Bytes name(std::initializer_list<Bytes> sets) {
  Bytes contents;
  for (const Bytes& set : sets) append(contents, set);
  return der::value(der::kSequence, {contents});
}

const Bytes kCn = alone(attribute(oid::kCommonName, "device-1"));
const Bytes kOu = alone(attribute(oid::kOrganizationalUnit, "acme"));
const Bytes kProduction = alone(attribute(oid::kBusinessCategory, "production"));

std::vector<std::string> categories(ByteView name_der) {
  std::vector<NameAttribute> attributes;
  EXPECT_EQ(read_certificate_name(der::read_single(name_der, der::kSequence)->contents, attributes).outcome, NameOutcome::read);
  std::vector<std::string> found;
  for (const NameAttribute& one : attributes)
    if (one.type == NameAttributeType::business_category) found.push_back(one.value);
  return found;
}

TEST(BusinessCategory, IsAppendedWhereThereIsNone) {
  EXPECT_EQ(must(set_business_category(name({kCn, kOu}), "production")), name({kCn, kOu, kProduction}));
}

TEST(BusinessCategory, IsLeftOctetForOctetWhereItIsThere) {
  const Bytes first = name({kProduction, kCn, kOu});
  EXPECT_EQ(must(set_business_category(first, "production")), first);
  const Bytes printable = name({kCn, alone(attribute(oid::kBusinessCategory, "production", der::kPrintableString)), kOu});
  EXPECT_EQ(must(set_business_category(printable, "production")), printable);
}

TEST(BusinessCategory, ReplacesOtherValuesAndDuplicates) {
  const Bytes testing_device = alone(attribute(oid::kBusinessCategory, "testing"));
  EXPECT_EQ(must(set_business_category(name({testing_device, kCn}), "production")), name({kCn, kProduction}));
  EXPECT_EQ(must(set_business_category(name({kProduction, kCn, testing_device}), "production")), name({kCn, kProduction}));
  EXPECT_EQ(must(set_business_category(name({kProduction, kProduction}), "production")), name({kProduction}));
}

TEST(BusinessCategory, IsTakenOutWhereverItStands) {
  EXPECT_EQ(must(remove_business_category(name({kCn, kProduction, kOu}))), name({kCn, kOu}));
  EXPECT_EQ(must(remove_business_category(name({kProduction, kProduction}))), name({}));
  EXPECT_EQ(must(remove_business_category(name({kCn, kOu}))), name({kCn, kOu}));

  const Bytes pair = der::value(der::kSet, {attribute(oid::kOrganizationalUnit, "acme"), attribute(oid::kBusinessCategory, "production")});
  EXPECT_EQ(must(remove_business_category(name({kCn, pair}))), name({kCn, kOu}));
  EXPECT_TRUE(categories(must(remove_business_category(name({pair, kProduction})))).empty());
}

TEST(BusinessCategory, NeedsAName) {
  for (const Bytes& bad :
       {Bytes{}, Bytes{0x30}, Bytes{0x30, 0x01, 0x00}, der::value(der::kSequence, {kCn, attribute(oid::kCommonName, "x")}),
        der::value(der::kSequence, {der::value(der::kSet, {der::value(der::kSequence, {})})})}) {
    EXPECT_FALSE(remove_business_category(bad).has_value());
    EXPECT_FALSE(set_business_category(bad, "production").has_value());
  }
  EXPECT_FALSE(set_business_category(name({kCn}), "").has_value());
}

NameReading read_request(const Bytes& name_der, std::vector<NameAttribute>& attributes) {
  return read_request_name(der::read_single(name_der, der::kSequence)->contents, attributes);
}

TEST(RequestName, FindsAttributesByTypeNotByPosition) {
  std::vector<NameAttribute> attributes;
  EXPECT_EQ(read_request(name({kOu, kCn}), attributes).outcome, NameOutcome::read);
  ASSERT_EQ(attributes.size(), 2U);
  EXPECT_EQ(attributes[0].type, NameAttributeType::organizational_unit);
  EXPECT_EQ(attributes[1].type, NameAttributeType::common_name);
  EXPECT_EQ(attributes[1].oid, to_bytes(oid::kCommonName));
}

TEST(RequestName, LeavesOldStringTypesToTheOtherReader) {
  std::vector<NameAttribute> attributes;
  EXPECT_EQ(read_request(name({alone(attribute(oid::kCommonName, std::string_view("\0a", 2), kBmpString))}), attributes).outcome,
            NameOutcome::other_strings);
}

TEST(RequestName, RefusesEmptySetsAndEmptyText) {
  std::vector<NameAttribute> attributes;
  EXPECT_EQ(read_request(name({der::value(der::kSet, {})}), attributes).outcome, NameOutcome::malformed);
  EXPECT_EQ(read_request(name({alone(attribute(oid::kCommonName, ""))}), attributes).fault, "an attribute of its subject is empty");
  EXPECT_EQ(read_request(name({}), attributes).outcome, NameOutcome::read) << "the policy refuses a request without a name";
}

}  // namespace
}  // namespace birthmark::crypto
