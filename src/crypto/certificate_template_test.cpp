// SPDX-License-Identifier: Apache-2.0
// Issued certificates, looked at by OpenSSL: what stands in them is what the plan said, and their signatures verify.
#include "crypto/certificate_template.h"

#include <gtest/gtest.h>

#include "base/pem.h"
#include "base/run_task.h"
#include "base/text.h"
#include "crypto/certificate_reader.h"
#include "crypto/csr_builder.h"
#include "crypto/digest.h"
#include "crypto/signature_schemes.h"
#include "crypto/test_support.h"
#include "crypto/x509_codec.h"

namespace birthmark::crypto {
namespace {

using core::CertificatePlan;
using core::SignatureScheme;
using testing::must;

const core::X509Codec& codec() {
  static const auto made = must(make_x509_codec({.allow_rsa = true}));
  return *made;
}

core::CsrFacts request_of(const PrivateKey& key) {
  CsrSubject subject{.common_name = "28d32f3a-4387-4ecf-91ae-872d54289179", .organizational_unit = "acme", .production = true};
  return must(codec().read_csr_pem(must(make_csr_pem(key, subject))));
}

CertificatePlan plan_for(const core::CsrFacts& request, const PrivateKey& issuer) {
  const core::CsrFacts issuer_request = must(codec().read_csr_pem(must(make_csr_pem(issuer, {.common_name = "fio-1"}))));
  CertificatePlan plan;
  plan.serial = must(Serial::from_magnitude(from_hex("f0123456789abcdef012").value()));
  plan.issuer_subject_der = issuer_request.subject_der;
  plan.issuer_key_id = must(key_identifier(issuer_request.spki_der));
  plan.subject_der = request.subject_der;
  plan.spki_der = request.spki_der;
  plan.spki_sha256 = request.spki_sha256;
  plan.not_before = must(parse_rfc3339("2026-11-20T16:05:09Z"));
  plan.not_after = must(parse_rfc3339("2046-11-15T16:05:09Z"));
  plan.scheme = issuer.default_scheme();
  return plan;
}

Bytes issue(const CertificatePlan& plan, const PrivateKey& issuer) {
  const Bytes to_be_signed = must(codec().encode_to_be_signed(plan));
  return codec().assemble_certificate(to_be_signed, plan.scheme, must(issuer.sign(plan.scheme, to_be_signed)));
}

X509Handle read_by_openssl(const Bytes& der) {
  const unsigned char* at = der.data();
  X509Handle certificate(d2i_X509(nullptr, &at, static_cast<long>(der.size())));
  EXPECT_EQ(at, der.data() + der.size());
  return certificate;
}

std::string extension_text(X509* certificate, int index) {
  const BioHandle bio(BIO_new(BIO_s_mem()));
  X509_EXTENSION* const extension = X509_get_ext(certificate, index);
  std::string text = OBJ_nid2sn(OBJ_obj2nid(X509_EXTENSION_get_object(extension)));
  text += X509_EXTENSION_get_critical(extension) == 1 ? " critical " : " ";
  X509V3_EXT_print(bio.get(), extension, 0, 0);
  char* printed = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &printed);
  return text + std::string(printed, static_cast<std::size_t>(size));
}

void expect_as_planned(const Bytes& der, const CertificatePlan& plan, const PrivateKey& issuer) {
  const X509Handle certificate = read_by_openssl(der);
  ASSERT_NE(certificate, nullptr);
  EXPECT_EQ(X509_verify(certificate.get(), issuer.get()), 1);
  EXPECT_EQ(X509_get_version(certificate.get()), X509_VERSION_3);
  EXPECT_EQ(testing::encode_name(X509_get_subject_name(certificate.get())), plan.subject_der);
  EXPECT_EQ(testing::encode_name(X509_get_issuer_name(certificate.get())), plan.issuer_subject_der);
  EXPECT_EQ(testing::encode_public_key(X509_get0_pubkey(certificate.get())), plan.spki_der);
  EXPECT_EQ(X509_check_purpose(certificate.get(), X509_PURPOSE_SSL_CLIENT, 0), 1);
  EXPECT_EQ(X509_check_purpose(certificate.get(), X509_PURPOSE_SSL_CLIENT, 1), 0) << "a device certificate must not be a CA";
  EXPECT_EQ(X509_check_purpose(certificate.get(), X509_PURPOSE_SSL_SERVER, 0), 0);

  const core::CertificateFacts facts = must(codec().read_certificate(der));
  EXPECT_EQ(facts.serial, plan.serial.der_contents());
  EXPECT_EQ(facts.not_before, plan.not_before);
  EXPECT_EQ(facts.not_after, plan.not_after);
  EXPECT_EQ(facts.spki_sha256, plan.spki_sha256);
  EXPECT_EQ(facts.authority_key_id, plan.issuer_key_id);
  EXPECT_EQ(facts.subject_key_id, must(codec().key_identifier(plan.spki_der)));
  EXPECT_EQ(facts.key_usage, 1U);
  EXPECT_TRUE(facts.client_auth);
  EXPECT_FALSE(facts.server_auth || facts.is_ca || facts.path_length.has_value());
}

TEST(CertificateTemplate, IssuesWhatThePlanSays) {
  const PrivateKey issuer = must(PrivateKey::generate_p256());
  const PrivateKey device = must(PrivateKey::generate_p256());
  const CertificatePlan plan = plan_for(request_of(device), issuer);
  expect_as_planned(issue(plan, issuer), plan, issuer);
}

TEST(CertificateTemplate, WritesExtensionsInTheOrderOfTheProfile) {
  const PrivateKey issuer = must(PrivateKey::generate_p256());
  CertificatePlan plan = plan_for(request_of(must(PrivateKey::generate_p256())), issuer);
  plan.issuer_key_id = from_hex("0102030405060708").value();
  const X509Handle certificate = read_by_openssl(issue(plan, issuer));
  ASSERT_EQ(X509_get_ext_count(certificate.get()), 4);
  EXPECT_EQ(extension_text(certificate.get(), 0), "keyUsage critical Digital Signature");
  EXPECT_EQ(extension_text(certificate.get(), 1), "extendedKeyUsage critical TLS Web Client Authentication");
  EXPECT_TRUE(extension_text(certificate.get(), 2).starts_with("subjectKeyIdentifier "));
  EXPECT_EQ(extension_text(certificate.get(), 3), "authorityKeyIdentifier 01:02:03:04:05:06:07:08");
}

TEST(CertificateTemplate, ServesEveryKindOfDeviceKeyAndIssuerKey) {
  std::vector<PrivateKey> keys;
  for (const char* curve : {"P-256", "P-384", "P-521"}) keys.push_back(testing::generate_ec(curve));
  keys.push_back(testing::generate_rsa(3072));
  for (const PrivateKey& issuer : keys) {
    for (const PrivateKey& device : keys) {
      const CertificatePlan plan = plan_for(request_of(device), issuer);
      expect_as_planned(issue(plan, issuer), plan, issuer);
    }
  }
}

TEST(CertificateTemplate, ChoosesTheFormOfTimeByTheYear) {  // RFC 5280 4.1.2.5
  const PrivateKey issuer = must(PrivateKey::generate_p256());
  CertificatePlan plan = plan_for(request_of(must(PrivateKey::generate_p256())), issuer);
  for (const char* until : {"2049-12-31T23:59:59Z", "2050-01-01T00:00:00Z", "9999-12-31T23:59:59Z"}) {
    plan.not_after = must(parse_rfc3339(until));
    const Bytes der = issue(plan, issuer);
    expect_as_planned(der, plan, issuer);
    const int type = ASN1_STRING_type(X509_get0_notAfter(read_by_openssl(der).get()));
    EXPECT_EQ(type, std::string_view(until) < "2050" ? V_ASN1_UTCTIME : V_ASN1_GENERALIZEDTIME);
  }
}

TEST(CertificateTemplate, HoldsSubjectsAndSerialsOfAnySize) {
  const PrivateKey issuer = must(PrivateKey::generate_p256());
  const PrivateKey device = must(PrivateKey::generate_p256());
  for (const std::size_t size :
       {std::size_t{1}, std::size_t{64}, std::size_t{120}, std::size_t{250}, std::size_t{3'000}, std::size_t{20'000}}) {
    CsrSubject subject{.common_name = std::string(size, 'x')};
    CertificatePlan plan = plan_for(must(codec().read_csr_pem(must(make_csr_pem(device, subject)))), issuer);
    plan.serial = must(Serial::from_magnitude(Bytes(size % 19 + 1, 0xff)));
    expect_as_planned(issue(plan, issuer), plan, issuer);
  }
}

TEST(CertificateTemplate, RefusesPlansThatMakeNoCertificate) {
  const PrivateKey issuer = must(PrivateKey::generate_p256());
  const CertificatePlan good = plan_for(request_of(must(PrivateKey::generate_p256())), issuer);
  const auto refused = [&](auto change) {
    CertificatePlan plan = good;
    change(plan);
    const Result<Bytes> encoded = codec().encode_to_be_signed(plan);
    return !encoded.has_value();
  };
  EXPECT_FALSE(refused([](CertificatePlan&) {}));
  EXPECT_TRUE(refused([](CertificatePlan& plan) { plan.serial = Serial(); }));
  EXPECT_TRUE(refused([](CertificatePlan& plan) { plan.subject_der.push_back(0); }));
  EXPECT_TRUE(refused([](CertificatePlan& plan) { plan.issuer_subject_der.clear(); }));
  EXPECT_TRUE(refused([](CertificatePlan& plan) { plan.spki_der.pop_back(); }));
  EXPECT_TRUE(refused([](CertificatePlan& plan) { plan.issuer_key_id.clear(); }));
  EXPECT_TRUE(refused([](CertificatePlan& plan) { plan.not_after += Duration(1); }));
  EXPECT_TRUE(refused([](CertificatePlan& plan) { plan.not_before = from_unix_ms(-700'000'000'000); }));
}

TEST(KeyIdentifier, IsTheSha1OfTheSubjectPublicKey) {  // RFC 5280 4.2.1.2 method 1
  const PrivateKey key = must(PrivateKey::generate_p256());
  const Bytes spki = must(key.spki_der());
  const Sha1Digest expected = sha1(ByteView(spki).last(65));
  EXPECT_EQ(must(codec().key_identifier(spki)), to_bytes(expected));
  EXPECT_FALSE(codec().key_identifier(ByteView(spki).first(40)).has_value());
}

TEST(SignatureSchemes, AreTheIdentifiersThatOpenSslWrites) {
  for (const SignatureScheme scheme :
       {SignatureScheme::ecdsa_sha256, SignatureScheme::ecdsa_sha384, SignatureScheme::ecdsa_sha512, SignatureScheme::rsa_pkcs1_sha256}) {
    const SchemeFacts& facts = facts_of(scheme);
    const unsigned char* at = facts.algorithm_identifier.data();
    const std::unique_ptr<X509_ALGOR, Freer<X509_ALGOR_free>> read(
        d2i_X509_ALGOR(nullptr, &at, static_cast<long>(facts.algorithm_identifier.size())));
    ASSERT_NE(read, nullptr);
    EXPECT_EQ(at, facts.algorithm_identifier.data() + facts.algorithm_identifier.size());
    const ASN1_OBJECT* object = nullptr;
    int parameter = 0;
    X509_ALGOR_get0(&object, &parameter, nullptr, read.get());
    int digest = 0;
    EXPECT_EQ(OBJ_find_sigid_algs(OBJ_obj2nid(object), &digest, nullptr), 1);
    EXPECT_TRUE(EVP_MD_is_a(digest_of(scheme), OBJ_nid2sn(digest)));
    EXPECT_EQ(parameter, scheme == SignatureScheme::rsa_pkcs1_sha256 ? V_ASN1_NULL : V_ASN1_UNDEF);
  }
}

}  // namespace
}  // namespace birthmark::crypto
