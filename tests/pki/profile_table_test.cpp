// SPDX-License-Identifier: Apache-2.0
// The certificate profile table of the protocol facts (Foundries 1.5), one test a row, in OpenSSL's view of what was made. The same
// table read out of certificates that fioctl made must agree with ours.
#include "crypto/pki/profiles.h"
#include "pki_test_support.h"

namespace birthmark::crypto::testing {
namespace {

class ProfileTable : public PkiTest {
 protected:
  void SetUp() override { create_whole_pki(); }
  [[nodiscard]] Certificate root() const { return certificate("factory_ca.pem"); }
  [[nodiscard]] Certificate local() const { return certificate("local-ca.pem"); }
  [[nodiscard]] Certificate online() const { return certificate("online-crt"); }
  [[nodiscard]] Certificate tls() const { return certificate("tls-crt"); }
};

// "CN=Factory-CA/12 OU=acme/12": attributes in order, with the ASN.1 string type.
std::string name_with_types(const X509_NAME* name) {
  std::string text;
  for (int i = 0; i < X509_NAME_entry_count(name); ++i) {
    const X509_NAME_ENTRY* entry = X509_NAME_get_entry(name, i);
    const ASN1_STRING* data = X509_NAME_ENTRY_get_data(entry);
    text += (text.empty() ? "" : " ") + std::string(OBJ_nid2sn(OBJ_obj2nid(X509_NAME_ENTRY_get_object(entry)))) + "=" +
            std::string(reinterpret_cast<const char*>(ASN1_STRING_get0_data(data)), static_cast<std::size_t>(ASN1_STRING_length(data))) +
            "/" + std::to_string(ASN1_STRING_type(data));
  }
  return text;
}
std::string subject(const Certificate& certificate) {
  return name_with_types(X509_get_subject_name(certificate.get()));
}
std::string issuer(const Certificate& certificate) {
  return name_with_types(X509_get_issuer_name(certificate.get()));
}

std::string extension(const Certificate& certificate, const std::string& name) {
  for (const std::string& line : extensions_of(certificate)) {
    if (line.starts_with(name + ":")) return line.substr(name.size() + 2);
  }
  return "absent";
}

TEST_F(ProfileTable, CommonVersion3AndEcdsaWithSha256) {
  for (const Certificate& made : {root(), local(), online(), tls()}) {
    EXPECT_EQ(X509_get_version(made.get()), 2);
    EXPECT_EQ(X509_get_signature_nid(made.get()), NID_ecdsa_with_SHA256);
  }
}

TEST_F(ProfileTable, CommonSerialIsPositiveAndAtMost20Octets) {
  for (const Certificate& made : {root(), local(), online(), tls()}) {
    const ASN1_INTEGER* serial = X509_get0_serialNumber(made.get());
    EXPECT_EQ(ASN1_STRING_type(serial), V_ASN1_INTEGER) << "negative";
    EXPECT_LE(i2d_ASN1_INTEGER(serial, nullptr), 2 + 20);
    EXPECT_GT(i2d_ASN1_INTEGER(serial, nullptr), 2 + 8);
  }
}

TEST_F(ProfileTable, RowSubject) {
  constexpr const char* kUtf8 = "/12";
  constexpr const char* kPrintable = "/19";
  EXPECT_EQ(subject(root()), std::string("CN=Factory-CA") + kUtf8 + " OU=acme" + kUtf8);
  EXPECT_EQ(subject(local()), std::string("CN=fio-acme") + kUtf8 + " OU=acme" + kUtf8);
  EXPECT_EQ(subject(online()), std::string("OU=acme") + kPrintable + " CN=online-ca" + kPrintable);
  EXPECT_EQ(subject(tls()), std::string("OU=acme") + kPrintable + " CN=gateway.acme.example" + kPrintable);
}

TEST_F(ProfileTable, RowIssuer) {
  for (const Certificate& made : {root(), local(), online(), tls()}) EXPECT_EQ(issuer(made), subject(root()));
}

TEST_F(ProfileTable, RowValidity) {
  for (const Certificate& made : {root(), local(), online(), tls()}) EXPECT_EQ(made.not_before(), moment("2026-11-20T15:00:00Z"));
  EXPECT_EQ(root().not_after(), moment("2046-11-20T15:00:00Z"));
  for (const Certificate& made : {local(), online(), tls()}) EXPECT_EQ(made.not_after(), moment("2036-11-20T15:00:00Z"));
}

TEST_F(ProfileTable, RowKey) {
  for (const Certificate& made : {root(), local()}) {
    std::array<char, 32> group{};
    ASSERT_EQ(EVP_PKEY_get_group_name(X509_get0_pubkey(made.get()), group.data(), group.size(), nullptr), 1);
    EXPECT_STREQ(group.data(), "prime256v1");
  }
  EXPECT_EQ(online().spki_sha256(), online_key_.spki_sha256());
  EXPECT_EQ(tls().spki_sha256(), tls_key_.spki_sha256());
  EXPECT_EQ(local().spki_sha256(), must(PrivateKey::load(pki() / "local-ca.key")).spki_sha256());
  EXPECT_EQ(root().spki_sha256(), must(PrivateKey::load(pki() / "factory_ca.key")).spki_sha256());
}

TEST_F(ProfileTable, RowBasicConstraints) {
  const std::string row = "X509v3 Basic Constraints";
  EXPECT_EQ(extension(root(), row), "critical | CA:TRUE");
  EXPECT_EQ(extension(local(), row), "critical | CA:TRUE, pathlen:0");
  EXPECT_EQ(extension(online(), row), "critical | CA:TRUE, pathlen:0");
  EXPECT_EQ(extension(tls(), row), "absent");
}

TEST_F(ProfileTable, RowKeyUsage) {
  const std::string row = "X509v3 Key Usage";
  EXPECT_EQ(extension(root(), row), "critical | Certificate Sign, CRL Sign");
  EXPECT_EQ(extension(local(), row), "critical | Certificate Sign");
  EXPECT_EQ(extension(online(), row), "critical | Certificate Sign");
  EXPECT_EQ(extension(tls(), row), "critical | Digital Signature");
}

TEST_F(ProfileTable, RowExtendedKeyUsage) {
  const std::string row = "X509v3 Extended Key Usage";
  EXPECT_EQ(extension(root(), row), "| TLS Web Server Authentication, TLS Web Client Authentication");
  EXPECT_EQ(extension(local(), row), "absent");
  EXPECT_EQ(extension(online(), row), "absent");
  EXPECT_EQ(extension(tls(), row), "| TLS Web Server Authentication");
}

TEST_F(ProfileTable, RowSubjectKeyIdentifierIsSha1OfTheKey) {
  for (const Certificate& made : {root(), local(), online()}) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> hash{};
    unsigned int size = 0;
    ASSERT_EQ(X509_pubkey_digest(made.get(), EVP_sha1(), hash.data(), &size), 1);
    const ASN1_OCTET_STRING* identifier = X509_get0_subject_key_id(made.get());
    ASSERT_NE(identifier, nullptr);
    EXPECT_EQ(to_hex({hash.data(), size}),
              to_hex({ASN1_STRING_get0_data(identifier), static_cast<std::size_t>(ASN1_STRING_length(identifier))}));
  }
  EXPECT_EQ(extension(tls(), "X509v3 Subject Key Identifier"), "absent");
}

TEST_F(ProfileTable, RowAuthorityKeyIdentifierIsTheRootsKeyIdOnly) {
  const std::string of_root = extension(root(), "X509v3 Subject Key Identifier");
  EXPECT_EQ(extension(root(), "X509v3 Authority Key Identifier"), "absent");
  for (const Certificate& made : {local(), online(), tls()}) EXPECT_EQ(extension(made, "X509v3 Authority Key Identifier"), of_root);
}

TEST_F(ProfileTable, RowSubjectAlternativeName) {
  const std::string row = "X509v3 Subject Alternative Name";
  EXPECT_EQ(extension(tls(), row), "| DNS:gateway.acme.example, DNS:ostree.acme.example");
  for (const Certificate& made : {root(), local(), online()}) EXPECT_EQ(extension(made, row), "absent");
}

// Name, criticality and value of each extension; key identifiers without their value, names as they are ours or theirs.
std::vector<std::string> shape(const Certificate& certificate) {
  std::vector<std::string> lines = extensions_of(certificate);
  for (std::string& line : lines) {
    if (line.find("Key Identifier") != std::string::npos || line.find("Alternative Name") != std::string::npos) line.resize(line.find('|'));
  }
  return lines;
}

TEST_F(ProfileTable, SameExtensionsInTheSameOrderAsFioctlMakes) {
  for (const std::string name : {"factory_ca.pem", "local-ca.pem", "online-crt", "tls-crt"}) {
    const Certificate theirs = must(Certificate::from_pem(must(read_file(std::string(BIRTHMARK_TEST_DATA) + "/foundries/" + name))));
    EXPECT_EQ(shape(certificate(name)), shape(theirs)) << name;
  }
}

TEST_F(ProfileTable, EveryCertificateVerifiesStrictlyAgainstTheRoot) {
  EXPECT_TRUE(chains_to(root(), root(), -1, now_));
  EXPECT_TRUE(chains_to(local(), root(), -1, now_));
  EXPECT_TRUE(chains_to(online(), root(), -1, now_));
  EXPECT_TRUE(chains_to(tls(), root(), X509_PURPOSE_SSL_SERVER, now_));
}

TEST_F(ProfileTable, SubjectIsRebuiltInTheOriginalsOrderAndUnknownAttributesAreDropped) {
  // CN, serialNumber, O twice, an unknown attribute, OU with a letter that no PrintableString has.
  const PkeyHandle key(EVP_EC_gen("P-256"));
  const X509ReqHandle request(X509_REQ_new());
  X509_NAME* name = X509_REQ_get_subject_name(request.get());
  const auto put = [&](int nid, const char* value) {
    ASSERT_EQ(X509_NAME_add_entry_by_NID(name, nid, MBSTRING_UTF8, reinterpret_cast<const unsigned char*>(value), -1, -1, 0), 1);
  };
  put(NID_commonName, "first name");
  put(NID_serialNumber, "42");
  put(NID_businessCategory, "production");
  put(NID_organizationName, "two");
  put(NID_organizationName, "one");
  put(NID_organizationalUnitName, "Fabrik \xC3\xBC");
  put(NID_commonName, "last name");
  ASSERT_EQ(X509_REQ_set_pubkey(request.get(), key.get()), 1);
  ASSERT_GT(X509_REQ_sign(request.get(), key.get(), EVP_sha256()), 0);
  const BioHandle bio(BIO_new(BIO_s_mem()));
  ASSERT_EQ(PEM_write_bio_X509_REQ(bio.get(), request.get()), 1);
  char* text = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &text);
  const std::string pem = must(sign_request(tools(), pki(), {text, static_cast<std::size_t>(size)}));
  EXPECT_EQ(subject(must(Certificate::from_pem(pem))), "O=one/19 O=two/19 OU=Fabrik \xC3\xBC/12 CN=last name/19 serialNumber=42/19");
}

TEST(ProfileParts, CalendarYearsKeepTheDate) {
  EXPECT_EQ(years_later(moment("2026-11-20T15:00:00Z"), 10), moment("2036-11-20T15:00:00Z"));
  EXPECT_EQ(years_later(moment("2028-02-29T23:59:59Z"), 10), moment("2038-03-01T23:59:59Z"));
  EXPECT_EQ(years_later(moment("2028-02-29T23:59:59Z"), 20), moment("2048-02-29T23:59:59Z"));
}

// Gives the octets it was told to, then repeats the last.
class ScriptedRandom final : public core::Random {
 public:
  explicit ScriptedRandom(std::vector<std::uint8_t> each_call) : each_call_(std::move(each_call)) {}
  Status fill(std::span<std::uint8_t> to) override {
    const std::uint8_t octet = each_call_.at(std::min(calls_++, each_call_.size() - 1));
    std::fill(to.begin(), to.end(), octet);
    return {};
  }
  [[nodiscard]] std::size_t calls() const { return calls_; }

 private:
  std::vector<std::uint8_t> each_call_;
  std::size_t calls_ = 0;
};

class BrokenRandom final : public core::Random {
 public:
  Status fill(std::span<std::uint8_t>) override { return fail(ErrorCode::unavailable, "no entropy"); }
};

TEST(ProfileParts, SerialsStayPositiveWithEveryBitSet) {
  ScriptedRandom random({0xFF});
  EXPECT_EQ(must(random_serial(random)).hex(), "7f" + std::string(38, 'f'));
}

TEST(ProfileParts, SerialsAreNeverZero) {
  ScriptedRandom random({0x00, 0x80, 0x01});  // zero; then 0x00 80 80 ..., whose top bit is cleared
  EXPECT_EQ(must(random_serial(random)).magnitude().size(), 19U);
  EXPECT_EQ(random.calls(), 2U);
}

TEST(ProfileParts, WithoutRandomnessNothingIsMade) {
  BrokenRandom random;
  const PrivateKey key = must(PrivateKey::generate_p256());
  EXPECT_FALSE(make_root_certificate(key, "acme", random, moment("2026-11-20T15:00:00Z")));
}

TEST(ProfileParts, NothingOutlivesItsRootAndAnExpiredRootSignsNothing) {
  const auto random = make_system_random();
  const PrivateKey key = must(PrivateKey::generate_p256());
  const Certificate root = must(make_root_certificate(key, "acme", *random, moment("2026-11-20T15:00:00Z")));
  const auto late = make_local_ca_certificate({root, key}, key, "fio-x", "acme", *random, moment("2040-01-01T00:00:00Z"));
  ASSERT_TRUE(late);
  EXPECT_EQ(late->not_after(), root.not_after());
  EXPECT_FALSE(make_local_ca_certificate({root, key}, key, "fio-x", "acme", *random, root.not_after()));
}

TEST(ProfileParts, RootsReachingPast2049UseGeneralizedTime) {
  const auto random = make_system_random();
  const PrivateKey key = must(PrivateKey::generate_p256());
  const Certificate root = must(make_root_certificate(key, "acme", *random, moment("2031-01-01T00:00:00Z")));
  EXPECT_EQ(X509_get0_notBefore(root.get())->type, V_ASN1_UTCTIME);
  EXPECT_EQ(X509_get0_notAfter(root.get())->type, V_ASN1_GENERALIZEDTIME);
  EXPECT_EQ(root.not_after(), moment("2051-01-01T00:00:00Z"));
}

TEST(ProfileParts, ARootOnP384SignsWithSha384) {
  const auto random = make_system_random();
  const PkeyHandle curve(EVP_EC_gen("P-384"));
  const BioHandle bio(BIO_new(BIO_s_mem()));
  ASSERT_EQ(PEM_write_bio_PKCS8PrivateKey(bio.get(), curve.get(), nullptr, nullptr, 0, nullptr, nullptr), 1);
  char* text = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &text);
  const PrivateKey key = must(PrivateKey::from_pem({text, static_cast<std::size_t>(size)}));
  const Certificate root = must(make_root_certificate(key, "acme", *random, moment("2026-11-20T15:00:00Z")));
  EXPECT_EQ(X509_get_signature_nid(root.get()), NID_ecdsa_with_SHA384);
}

}  // namespace
}  // namespace birthmark::crypto::testing
