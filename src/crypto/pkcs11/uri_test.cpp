// SPDX-License-Identifier: Apache-2.0
// RFC 7512 URIs: what names a key, and what is refused with which words.
#include "crypto/pkcs11/uri.h"

#include <gtest/gtest.h>

namespace birthmark::crypto::pkcs11 {
namespace {

TEST(Pkcs11Uri, NamesAKeyByTokenAndLabel) {
  const auto uri = Uri::parse("pkcs11:token=factory%20hsm;object=root-ca;id=%01;type=private");
  ASSERT_TRUE(uri.has_value()) << uri.error().describe();
  EXPECT_EQ(uri->token, "factory hsm");
  EXPECT_EQ(uri->object, "root-ca");
  EXPECT_EQ(uri->id, Bytes{1});
  EXPECT_TRUE(uri->names_key());
  EXPECT_EQ(uri->text(), "pkcs11:token=factory%20hsm;object=root-ca;id=%01");
}

// RFC 7512 2.4 and 3: attributes that tell this program where module and PIN are; they never come back out.
TEST(Pkcs11Uri, KeepsModuleAndPinFileOutOfItsText) {
  const auto uri = Uri::parse("PKCS11:token=a;object=b?module-path=/usr/lib/softhsm/libsofthsm2.so&pin-source=file:/run/pin");
  ASSERT_TRUE(uri.has_value()) << uri.error().describe();
  EXPECT_EQ(uri->module_path, "/usr/lib/softhsm/libsofthsm2.so");
  EXPECT_EQ(uri->pin_file, "/run/pin");
  EXPECT_EQ(uri->text(), "pkcs11:token=a;object=b");
}

TEST(Pkcs11Uri, ItsTextReadsBackAsItself) {
  for (const char* text : {"pkcs11:", "pkcs11:token=%C3%BC%3B%2F", "pkcs11:id=%00%FF%3d", "pkcs11:serial=12;model=x;manufacturer=y"}) {
    const auto uri = Uri::parse(text);
    ASSERT_TRUE(uri.has_value()) << text << ": " << uri.error().describe();
    const auto again = Uri::parse(uri->text());
    ASSERT_TRUE(again.has_value()) << uri->text();
    EXPECT_EQ(*again, *uri) << text;
  }
}

TEST(Pkcs11Uri, RefusesAPinWithAdviceAndWithoutRepeatingIt) {
  const auto uri = Uri::parse("pkcs11:token=a;object=b?pin-value=97531");
  ASSERT_FALSE(uri.has_value());
  EXPECT_NE(uri.error().describe().find("pin_file"), std::string::npos);
  EXPECT_EQ(uri.error().describe().find("97531"), std::string::npos);
  EXPECT_FALSE(Uri::parse("pkcs11:pin-value=97531;token=a").has_value());
}

TEST(Pkcs11Uri, RefusesWhatTheGrammarDoesNotAllow) {
  for (const char* text :
       {"", "pkcs12:token=a", "pkcs11:token", "pkcs11:=a", "pkcs11:token=a;token=b", "pkcs11:token=a;", "pkcs11:token=%4",
        "pkcs11:token=%zz", "pkcs11:token=a b", "pkcs11:token=a#b", "pkcs11:token=a/b", "pkcs11:token=", "pkcs11:colour=red",
        "pkcs11:token=a;type=cert", "pkcs11:token=a?module-path=lib.so", "pkcs11:token=a?pin-source=|/bin/sh",
        "pkcs11:token=a?module-path=/a&module-path=/b", "pkcs11:token=a?module-path=/a%00b"}) {
    EXPECT_FALSE(Uri::parse(text).has_value()) << text;
  }
  EXPECT_FALSE(Uri::parse("pkcs11:token=" + std::string(3000, 'a')).has_value());
}

TEST(Pkcs11Uri, IsToldFromAPath) {
  EXPECT_TRUE(is_uri("pkcs11:token=a"));
  EXPECT_TRUE(is_uri("PKCS11:"));
  EXPECT_FALSE(is_uri("keys/pkcs11:x.key"));
  EXPECT_FALSE(is_uri("pkcs11"));
}

}  // namespace
}  // namespace birthmark::crypto::pkcs11
