// SPDX-License-Identifier: Apache-2.0
// `ca sign` by the rule at the end of facts section 1.5, and `ca update`.
#include "pki_test_support.h"

namespace birthmark::crypto::testing {
namespace {

// A request with the extensions given in OpenSSL's notation.
std::string request_with(const std::vector<std::pair<int, const char*>>& extensions, const char* common_name = "host.example") {
  const PkeyHandle key(EVP_EC_gen("P-256"));
  const X509ReqHandle request(X509_REQ_new());
  if (common_name != nullptr) {
    X509_NAME* name = X509_REQ_get_subject_name(request.get());
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, reinterpret_cast<const unsigned char*>(common_name), -1, -1, 0);
  }
  STACK_OF(X509_EXTENSION)* stack = sk_X509_EXTENSION_new_null();
  for (const auto& [nid, value] : extensions) sk_X509_EXTENSION_push(stack, X509V3_EXT_nconf_nid(nullptr, nullptr, nid, value));
  if (!extensions.empty()) X509_REQ_add_extensions(request.get(), stack);
  sk_X509_EXTENSION_pop_free(stack, X509_EXTENSION_free);
  X509_REQ_set_pubkey(request.get(), key.get());
  X509_REQ_sign(request.get(), key.get(), EVP_sha256());
  const BioHandle bio(BIO_new(BIO_s_mem()));
  PEM_write_bio_X509_REQ(bio.get(), request.get());
  char* text = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &text);
  return {text, static_cast<std::size_t>(size)};
}

class SignRequest : public PkiTest {
 protected:
  void SetUp() override { create_whole_pki(); }
  [[nodiscard]] Result<Certificate> sign(const std::string& request) {
    const auto pem = sign_request(tools(), pki(), request);
    if (!pem) return tl::make_unexpected(pem.error());
    return Certificate::from_pem(*pem);
  }
};

TEST_F(SignRequest, ARequestForCaTrueGetsTheDeviceCaProfileAndLosesItsNames) {
  const auto made = sign(request_with(
      {{NID_basic_constraints, "CA:TRUE,pathlen:3"}, {NID_subject_alt_name, "DNS:dropped.example"}, {NID_key_usage, "digitalSignature"}}));
  ASSERT_TRUE(made) << made.error().describe();
  const std::vector<std::string> extensions = extensions_of(*made);
  ASSERT_EQ(extensions.size(), 4U);
  EXPECT_EQ(extensions[0], "X509v3 Key Usage: critical | Certificate Sign");
  EXPECT_EQ(extensions[1], "X509v3 Basic Constraints: critical | CA:TRUE, pathlen:0");
}

TEST_F(SignRequest, OtherwiseTheTlsProfileWithNamesInTheOrderDnsEmailIpUri) {
  const auto made = sign(request_with({{NID_basic_constraints, "CA:FALSE"},
                                       {NID_subject_alt_name, "URI:https://u.example/,IP:127.0.0.1,email:a@b.example,DNS:d.example,IP:::1"},
                                       {NID_key_usage, "keyCertSign"},
                                       {NID_ext_key_usage, "clientAuth"}}));
  ASSERT_TRUE(made) << made.error().describe();
  const std::vector<std::string> extensions = extensions_of(*made);
  ASSERT_EQ(extensions.size(), 4U);
  EXPECT_EQ(extensions[0], "X509v3 Key Usage: critical | Digital Signature");
  EXPECT_EQ(extensions[1], "X509v3 Extended Key Usage: | TLS Web Server Authentication");
  EXPECT_EQ(extensions[3],
            "X509v3 Subject Alternative Name: | DNS:d.example, email:a@b.example, IP Address:127.0.0.1, "
            "IP Address:0:0:0:0:0:0:0:1, URI:https://u.example/");
  EXPECT_EQ(made->not_after(), moment("2036-11-20T15:00:00Z"));
  EXPECT_TRUE(chains_to(*made, certificate("factory_ca.pem"), X509_PURPOSE_SSL_SERVER, now_));
}

TEST_F(SignRequest, WithoutASubjectTheNamesAreCritical) {
  const auto made = sign(request_with({{NID_subject_alt_name, "DNS:only.example"}}, nullptr));
  ASSERT_TRUE(made) << made.error().describe();
  EXPECT_EQ(extensions_of(*made).back(), "X509v3 Subject Alternative Name: critical | DNS:only.example");
}

TEST_F(SignRequest, ACaWithoutASubjectIsRefused) {
  EXPECT_FALSE(sign(request_with({{NID_basic_constraints, "CA:TRUE"}}, nullptr)));
}

TEST_F(SignRequest, TextBeforeAndNewlinesAfterTheRequestAreAccepted) {
  const std::string request = request_with({});
  EXPECT_TRUE(sign("Certificate Request:\n  Data: ...\n" + request));
  EXPECT_TRUE(sign(request + "\n\n"));
}

TEST_F(SignRequest, WhatIsNoSingleSoundRequestIsRefused) {
  const std::string request = request_with({});
  EXPECT_FALSE(sign(""));
  EXPECT_FALSE(sign("not PEM"));
  EXPECT_FALSE(sign(request + request));
  EXPECT_FALSE(sign(certificate("local-ca.pem").pem()));
  Bytes der = must(decode_pem(request))[0].contents;
  Bytes longer = der;
  longer.push_back(0);
  EXPECT_FALSE(sign(encode_pem("CERTIFICATE REQUEST", longer)));
  der[der.size() - 4] ^= 1U;
  const auto wrong = sign(encode_pem("CERTIFICATE REQUEST", der));
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().code, ErrorCode::invalid);
}

TEST_F(SignRequest, ShortRsaKeysAreRefused) {
  const PkeyHandle key(EVP_RSA_gen(1024U));
  const X509ReqHandle request(X509_REQ_new());
  X509_REQ_set_pubkey(request.get(), key.get());
  X509_REQ_sign(request.get(), key.get(), EVP_sha256());
  unsigned char* der = nullptr;
  const int size = i2d_X509_REQ(request.get(), &der);
  const Bytes bytes(der, der + size);
  OPENSSL_free(der);
  EXPECT_FALSE(sign(encode_pem("CERTIFICATE REQUEST", bytes)));
}

TEST_F(SignRequest, CommandPrintsTheCertificateAndNothingElse) {
  must(create_file(scratch() / "host.csr", request_with({{NID_subject_alt_name, "DNS:h.example"}}), 0600));
  const ProcessResult result = run_ca({"sign", (scratch() / "host.csr").string(), "--pki-dir", pki().string()});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_TRUE(result.out.starts_with("-----BEGIN CERTIFICATE-----\n"));
  EXPECT_TRUE(result.out.ends_with("-----END CERTIFICATE-----\n"));
  EXPECT_TRUE(must(Certificate::from_pem(result.out)).is_signed_by(certificate("factory_ca.pem")));
}

TEST_F(SignRequest, UpdateWritesACleanBundle) {
  const std::string bundle =
      "prose\n" + certificate("online-crt").pem() + "\n" + certificate("local-ca.pem").pem() + certificate("local-ca.pem").pem();
  const auto outcome = update_device_cas(tools(), pki(), bundle);
  ASSERT_TRUE(outcome) << outcome.error().describe();
  ASSERT_EQ(outcome->artefacts.size(), 1U);
  EXPECT_EQ(must(read_file(outcome->artefacts[0])), certificate("online-crt").pem() + "\n" + certificate("local-ca.pem").pem());
}

TEST_F(SignRequest, UpdateRefusesWhatIsNoDeviceCaOfThisFactory) {
  const auto random = make_system_random();
  const PrivateKey key = must(PrivateKey::generate_p256());
  const Certificate stranger = must(make_root_certificate(key, "acme", *random, now_));
  const Certificate strange_ca = must(make_local_ca_certificate({stranger, key}, key, "fio-x", "acme", *random, now_));
  const std::vector<std::pair<std::string, std::string>> bundles{
      {"tls", certificate("tls-crt").pem()}, {"root", certificate("factory_ca.pem").pem()},
      {"other root's", strange_ca.pem()},    {"nothing", "prose only\n"},
      {"key", must(key.to_pem())},           {"broken", "-----BEGIN CERTIFICATE-----\nAAAA\n"}};
  const std::set<std::string> before = names_in(pki());
  for (const auto& [what, pem] : bundles) EXPECT_FALSE(update_device_cas(tools(), pki(), pem)) << what;
  EXPECT_EQ(names_in(pki()), before);
}

}  // namespace
}  // namespace birthmark::crypto::testing
