// SPDX-License-Identifier: Apache-2.0
// CRLs as commands (protocol facts, Foundries 1.6): the fields of what is made, what is refused, and fioctl's own CRL read.
#include "crypto/pki/crl.h"

#include "crypto/pki/describe.h"
#include "pki_test_support.h"

namespace birthmark::crypto::testing {
namespace {

class CrlCommand : public PkiTest {
 protected:
  void SetUp() override { create_whole_pki(); }
  [[nodiscard]] CrlCommandRequest about(const std::string& file, CaVerdict verdict = CaVerdict::revoke) const {
    CrlCommandRequest request;
    request.directory = pki();
    request.verdict = verdict;
    request.ca_files = {file};
    return request;
  }
  [[nodiscard]] static Crl parse(const std::string& pem) { return must(Crl::from_der(must(decode_pem(pem)).at(0).contents)); }
};

TEST_F(CrlCommand, FieldsAsInFactsSection1_6) {
  const auto made = make_crl_command(tools(), about("local-ca.pem"));
  ASSERT_TRUE(made) << made.error().describe();
  const Crl crl = parse(made->pem);
  EXPECT_TRUE(made->pem.starts_with("-----BEGIN X509 CRL-----\n"));
  EXPECT_EQ(X509_CRL_get_version(crl.get()), 1);  // v2
  EXPECT_EQ(X509_CRL_get_signature_nid(crl.get()), NID_ecdsa_with_SHA256);
  EXPECT_TRUE(crl.is_signed_by(certificate("factory_ca.pem")));
  EXPECT_EQ(crl.this_update(), now_);
  EXPECT_EQ(crl.next_update(), now_ + std::chrono::minutes(15));
  ASSERT_EQ(crl.entries().size(), 1U);
  EXPECT_EQ(crl.entries()[0].serial_decimal, certificate("local-ca.pem").serial_decimal());
  EXPECT_EQ(crl.entries()[0].reason, 9);
}

TEST_F(CrlCommand, ExtensionsInOrderAndNoneCritical) {
  const Crl crl = parse(must(make_crl_command(tools(), about("local-ca.pem"))).pem);
  ASSERT_EQ(X509_CRL_get_ext_count(crl.get()), 2);
  const std::array<int, 2> wanted{NID_authority_key_identifier, NID_crl_number};
  for (int i = 0; i < 2; ++i) {
    X509_EXTENSION* extension = X509_CRL_get_ext(crl.get(), i);
    EXPECT_EQ(OBJ_obj2nid(X509_EXTENSION_get_object(extension)), wanted.at(static_cast<std::size_t>(i)));
    EXPECT_EQ(X509_EXTENSION_get_critical(extension), 0);
  }
  const X509_REVOKED* entry = sk_X509_REVOKED_value(X509_CRL_get_REVOKED(crl.get()), 0);
  ASSERT_EQ(X509_REVOKED_get_ext_count(entry), 1);
  EXPECT_EQ(OBJ_obj2nid(X509_EXTENSION_get_object(X509_REVOKED_get_ext(entry, 0))), NID_crl_reason);
  EXPECT_EQ(X509_EXTENSION_get_critical(X509_REVOKED_get_ext(entry, 0)), 0);
}

TEST_F(CrlCommand, ReasonsAre9For6AndThe8OfEnable) {
  EXPECT_EQ(parse(must(make_crl_command(tools(), about("online-crt", CaVerdict::revoke))).pem).entries()[0].reason, 9);
  EXPECT_EQ(parse(must(make_crl_command(tools(), about("online-crt", CaVerdict::disable))).pem).entries()[0].reason, 6);
  EXPECT_EQ(parse(must(make_crl_command(tools(), about("online-crt", CaVerdict::enable))).pem).entries()[0].reason, 8);
}

TEST_F(CrlCommand, NumbersRiseEvenWhenTheClockStepsBack) {
  const auto first = parse(must(make_crl_command(tools(), about("local-ca.pem"))).pem).number();
  const auto second = parse(must(make_crl_command(tools(), about("local-ca.pem"))).pem).number();
  now_ -= std::chrono::hours(1);
  const auto third = parse(must(make_crl_command(tools(), about("local-ca.pem"))).pem).number();
  ASSERT_TRUE(first && second && third);
  EXPECT_LT(*first, *second);
  EXPECT_LT(*second, *third);
}

TEST_F(CrlCommand, ArtefactIsPublicAndTwoOfOneSecondDoNotCollide) {
  const auto first = must(make_crl_command(tools(), about("local-ca.pem")));
  const auto second = must(make_crl_command(tools(), about("local-ca.pem")));
  EXPECT_EQ(first.outcome.artefacts, std::vector<std::filesystem::path>{pki() / "crl-revoke-20261120T150000Z.pem"});
  EXPECT_EQ(second.outcome.artefacts, std::vector<std::filesystem::path>{pki() / "crl-revoke-20261120T150000Z-2.pem"});
  EXPECT_EQ(mode_of(first.outcome.artefacts[0]), 0444U);
  EXPECT_EQ(must(read_file(first.outcome.artefacts[0])), first.pem);
}

TEST_F(CrlCommand, DryRunWritesNothing) {
  const std::set<std::string> before = names_in(pki());
  CrlCommandRequest request = about("local-ca.pem");
  request.dry_run = true;
  const auto made = make_crl_command(tools(), request);
  ASSERT_TRUE(made);
  EXPECT_TRUE(made->outcome.artefacts.empty());
  EXPECT_TRUE(parse(made->pem).is_signed_by(certificate("factory_ca.pem")));
  EXPECT_EQ(names_in(pki()), before);
}

TEST_F(CrlCommand, SerialsAndFilesTogetherNameEachCaOnce) {
  CrlCommandRequest request = about("local-ca.pem");
  request.ca_serials = {certificate("online-crt").serial_decimal(), "000" + certificate("local-ca.pem").serial_decimal()};
  EXPECT_EQ(parse(must(make_crl_command(tools(), request)).pem).entries().size(), 2U);
}

TEST_F(CrlCommand, ValidityIsChosen) {
  CrlCommandRequest request = about("local-ca.pem");
  request.valid_for = std::chrono::hours(2);
  EXPECT_EQ(parse(must(make_crl_command(tools(), request)).pem).next_update(), now_ + std::chrono::hours(2));
  request.valid_for = {};
  EXPECT_FALSE(make_crl_command(tools(), request));
}

TEST_F(CrlCommand, WhatIsNoDeviceCaOfThisDirectoryIsRefused) {
  const std::set<std::string> before = names_in(pki());
  for (const std::string file :
       {"tls-crt", "factory_ca.pem", "missing.pem", "../pki/local-ca.pem", "/etc/passwd", "local-ca", "local-ca.key"}) {
    EXPECT_FALSE(make_crl_command(tools(), about(file))) << file;
  }
  const std::vector<std::string> serials{"1", "abc", "", "-5", "0x10", certificate("tls-crt").serial_decimal()};
  for (const std::string& serial : serials) {
    CrlCommandRequest request;
    request.directory = pki();
    request.ca_serials = {serial};
    EXPECT_FALSE(make_crl_command(tools(), request)) << serial;
  }
  CrlCommandRequest nothing;
  nothing.directory = pki();
  EXPECT_FALSE(make_crl_command(tools(), nothing));
  EXPECT_EQ(names_in(pki()), before);
}

TEST_F(CrlCommand, UnknownSerialUsesTheOriginalsPhrase) {
  CrlCommandRequest request;
  request.directory = pki();
  request.ca_serials = {"12345"};
  const auto made = make_crl_command(tools(), request);
  ASSERT_FALSE(made);
  EXPECT_NE(made.error().public_message.find("There is no active device CA with serial 12345"), std::string::npos);
}

// The CRL block out of what fioctl printed.
Crl fioctl_crl(std::string& text) {
  text = must(read_file(std::string(BIRTHMARK_TEST_DATA) + "/foundries/revoke-dryrun-pretty.txt"));
  return must(Crl::from_der(must(decode_pem(text)).at(0).contents));
}

TEST(FioctlCrl, IsReadAndVerified) {
  std::string text;
  const Crl crl = fioctl_crl(text);
  const Certificate root = must(Certificate::from_pem(must(read_file(std::string(BIRTHMARK_TEST_DATA) + "/foundries/factory_ca.pem"))));
  EXPECT_TRUE(crl.is_signed_by(root));
  EXPECT_EQ(crl.number(), 1U);
  EXPECT_EQ(crl.next_update(), crl.this_update() + std::chrono::minutes(15));
  ASSERT_EQ(crl.entries().size(), 1U);
  EXPECT_EQ(crl.entries()[0].serial_decimal, "522911222838660125313829167635364316239381192231");
  EXPECT_EQ(crl.entries()[0].reason, 9);
}

TEST(FioctlCrl, IsDescribedLineForLineAsFioctlDoes) {
  std::string text;
  const Crl crl = fioctl_crl(text);
  const std::string theirs = text.substr(text.find("Certificate Revocation List:"));
  EXPECT_EQ(describe_crl(crl), theirs);
}

TEST(CrlReading, TrailingBytesAndRepeatedSerialsAreRefused) {
  std::string text;
  const Crl crl = fioctl_crl(text);
  Bytes longer = crl.der();
  longer.push_back(0);
  EXPECT_FALSE(Crl::from_der(longer));
  Bytes shorter = crl.der();
  shorter.pop_back();
  EXPECT_FALSE(Crl::from_der(shorter));
}

TEST(CrlReading, RepeatedSerialsAreRefused) {
  const auto random = make_system_random();
  const PrivateKey key = must(PrivateKey::generate_p256());
  const Instant now = moment("2026-11-20T15:00:00Z");
  const Certificate root = must(make_root_certificate(key, "acme", *random, now));
  EXPECT_TRUE(make_crl({root, key}, {{{"5", 6}, {"6", 9}}, 1, now, std::chrono::minutes(15)}));
  EXPECT_FALSE(make_crl({root, key}, {{{"5", 6}, {"5", 9}}, 1, now, std::chrono::minutes(15)}));
}

}  // namespace
}  // namespace birthmark::crypto::testing
