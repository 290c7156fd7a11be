// SPDX-License-Identifier: Apache-2.0
#include "crypto/csr_builder.h"

#include <gtest/gtest.h>

#include "base/pem.h"
#include "crypto/der_reader.h"
#include "crypto/test_support.h"

namespace birthmark::crypto {
namespace {

using testing::must;

X509ReqHandle read_back(const std::string& pem) {
  const BioHandle bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  return X509ReqHandle(PEM_read_bio_X509_REQ(bio.get(), nullptr, nullptr, nullptr));
}

std::string subject_line(const X509_REQ* request) {
  const BioHandle bio(BIO_new(BIO_s_mem()));
  X509_NAME_print_ex(bio.get(), X509_REQ_get_subject_name(request), 0, XN_FLAG_SEP_COMMA_PLUS | ASN1_STRFLGS_SHOW_TYPE);
  char* text = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &text);
  return {text, static_cast<std::size_t>(size)};
}

TEST(CsrBuilder, MakesOneBlockThatOpenSslReadsAndVerifies) {
  const PrivateKey key = must(PrivateKey::generate_p256());
  const std::string pem = must(make_csr_pem(key, {.common_name = "device-1", .organizational_unit = "acme", .production = true}));
  EXPECT_TRUE(pem.starts_with("-----BEGIN CERTIFICATE REQUEST-----\n"));
  EXPECT_TRUE(pem.ends_with("-----END CERTIFICATE REQUEST-----\n"));
  const X509ReqHandle request = read_back(pem);
  ASSERT_NE(request, nullptr);
  EXPECT_EQ(X509_REQ_verify(request.get(), key.get()), 1);
  EXPECT_EQ(X509_REQ_get_version(request.get()), 0);
  EXPECT_EQ(subject_line(request.get()), "CN=UTF8STRING:device-1,OU=UTF8STRING:acme,businessCategory=UTF8STRING:production");
}

TEST(CsrBuilder, LeavesOutWhatIsNotAskedFor) {
  const X509ReqHandle request = read_back(must(make_csr_pem(must(PrivateKey::generate_p256()), {.common_name = "gateway"})));
  ASSERT_NE(request, nullptr);
  EXPECT_EQ(subject_line(request.get()), "CN=UTF8STRING:gateway");
  EXPECT_EQ(X509_REQ_get_attr_count(request.get()), 0);
}

TEST(CsrBuilder, AsksForExtensionsAndNamesInOrder) {
  CsrSubject subject{.common_name = "acme", .dns_names = {"gateway.example.com", "ostree.example.com"}, .device_extensions = true};
  const X509ReqHandle request = read_back(must(make_csr_pem(must(PrivateKey::generate_p256()), subject)));
  ASSERT_NE(request, nullptr);
  STACK_OF(X509_EXTENSION)* extensions = X509_REQ_get_extensions(request.get());
  ASSERT_EQ(sk_X509_EXTENSION_num(extensions), 3);
  const int nids[] = {NID_key_usage, NID_ext_key_usage, NID_subject_alt_name};
  const int critical[] = {1, 1, 0};
  for (int i = 0; i < 3; ++i) {
    const X509_EXTENSION* extension = sk_X509_EXTENSION_value(extensions, i);
    EXPECT_EQ(OBJ_obj2nid(X509_EXTENSION_get_object(const_cast<X509_EXTENSION*>(extension))), nids[i]);
    EXPECT_EQ(X509_EXTENSION_get_critical(extension), critical[i]);
  }
  auto* names = static_cast<GENERAL_NAMES*>(X509V3_get_d2i(extensions, NID_subject_alt_name, nullptr, nullptr));
  ASSERT_EQ(sk_GENERAL_NAME_num(names), 2);
  const ASN1_STRING* first = sk_GENERAL_NAME_value(names, 0)->d.dNSName;
  EXPECT_EQ(as_text({ASN1_STRING_get0_data(first), static_cast<std::size_t>(ASN1_STRING_length(first))}), "gateway.example.com");
  GENERAL_NAMES_free(names);
  sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
}

// The same octets as the real program's request, but for key and signature.
TEST(CsrBuilder, AsksAsLmpDeviceRegisterDoes) {
  const Bytes captured = must(decode_first_pem(testing::read_test_file(BIRTHMARK_TEST_DATA "/csr/lmp-device-register.pem"))).contents;
  CsrSubject subject{
      .common_name = "28d32f3a-4387-4ecf-91ae-872d54289179", .organizational_unit = "acme", .production = true, .device_extensions = true};
  const Bytes made = must(decode_first_pem(must(make_csr_pem(must(PrivateKey::generate_p256()), subject)))).contents;
  const auto information = [](const Bytes& request) {
    der::Reader reader(der::read_single(request, der::kSequence)->contents);
    return reader.read(der::kSequence)->contents;
  };
  const ByteView ours = information(made), theirs = information(captured);
  constexpr std::size_t kPoint = 64;
  der::Reader before_key(ours);
  static_cast<void>(before_key.read_any());
  static_cast<void>(before_key.read_any());
  const std::size_t key_end = static_cast<std::size_t>(before_key.read_any()->whole.data() - ours.data()) + 91;
  ASSERT_EQ(ours.size(), theirs.size());
  EXPECT_TRUE(equal(ours.first(key_end - kPoint), theirs.first(key_end - kPoint)));
  EXPECT_TRUE(equal(ours.subspan(key_end), theirs.subspan(key_end)));
}

TEST(CsrBuilder, RefusesTextThatNoCertificateShouldCarry) {
  const PrivateKey key = must(PrivateKey::generate_p256());
  EXPECT_FALSE(make_csr_pem(key, {.common_name = ""}).has_value());
  EXPECT_FALSE(make_csr_pem(key, {.common_name = "\xff\xfe"}).has_value());
  EXPECT_FALSE(make_csr_pem(key, {.common_name = std::string("a\0b", 3)}).has_value());
  EXPECT_FALSE(make_csr_pem(key, {.common_name = "a", .dns_names = {"no space.example"}}).has_value());
  EXPECT_FALSE(make_csr_pem(key, {.common_name = "a", .dns_names = {""}}).has_value());
}

TEST(CsrBuilder, SignsWithEveryKindOfKey) {
  for (const char* curve : {"P-256", "P-384", "P-521"}) {
    const PrivateKey key = testing::generate_ec(curve);
    const X509ReqHandle request = read_back(must(make_csr_pem(key, {.common_name = "x"})));
    ASSERT_NE(request, nullptr);
    EXPECT_EQ(X509_REQ_verify(request.get(), key.get()), 1) << curve;
  }
  const PrivateKey rsa = testing::generate_rsa(2048);
  EXPECT_EQ(X509_REQ_verify(read_back(must(make_csr_pem(rsa, {.common_name = "x"}))).get(), rsa.get()), 1);
}

}  // namespace
}  // namespace birthmark::crypto
