// SPDX-License-Identifier: Apache-2.0
// Read back by OpenSSL.
#include "crypto/certificate_bundle.h"

#include <gtest/gtest.h>
#include <openssl/pkcs7.h>

#include "crypto/openssl.h"
#include "crypto/test_support.h"

namespace birthmark::crypto {
namespace {

Bytes self_signed(const char* name) {
  const PkeyHandle key(EVP_EC_gen("P-256"));
  const X509Handle certificate(X509_new());
  X509_NAME* subject = X509_get_subject_name(certificate.get());
  X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, reinterpret_cast<const unsigned char*>(name), -1, -1, 0);
  X509_set_issuer_name(certificate.get(), subject);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), 0);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 3600);
  X509_set_pubkey(certificate.get(), key.get());
  EXPECT_GT(X509_sign(certificate.get(), key.get(), EVP_sha256()), 0);
  unsigned char* der = nullptr;
  const int size = i2d_X509(certificate.get(), &der);
  Bytes made(der, der + size);
  OPENSSL_free(der);
  return made;
}

TEST(CertificateBundle, OpensslFindsTheCertificatesInTheirOrder) {
  const Bytes first = self_signed("first"), second = self_signed("second");
  for (const auto& certificates : {std::vector<ByteView>{first}, std::vector<ByteView>{first, second}, std::vector<ByteView>{}}) {
    const Bytes bundle = encode_certificate_bundle(certificates);
    const unsigned char* at = bundle.data();
    const std::unique_ptr<PKCS7, Freer<PKCS7_free>> read(d2i_PKCS7(nullptr, &at, static_cast<long>(bundle.size())));
    ASSERT_TRUE(read);
    EXPECT_EQ(at, bundle.data() + bundle.size());
    ASSERT_TRUE(PKCS7_type_is_signed(read.get()));
    const STACK_OF(X509)* found = read->d.sign->cert;
    ASSERT_EQ(static_cast<std::size_t>(std::max(0, sk_X509_num(found))), certificates.size());
    for (std::size_t i = 0; i < certificates.size(); ++i) {
      unsigned char* der = nullptr;
      const int size = i2d_X509(sk_X509_value(found, static_cast<int>(i)), &der);
      EXPECT_TRUE(equal({der, static_cast<std::size_t>(size)}, certificates[i]));
      OPENSSL_free(der);
    }
  }
}

}  // namespace
}  // namespace birthmark::crypto
