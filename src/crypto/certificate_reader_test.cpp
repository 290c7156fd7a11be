// SPDX-License-Identifier: Apache-2.0
// Certificates that other programs made, read by us and by OpenSSL; then what must be refused.
#include "crypto/certificate_reader.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <map>

#include "base/pem.h"
#include "base/text.h"
#include "crypto/der_writer.h"
#include "crypto/digest.h"
#include "crypto/test_support.h"

namespace birthmark::crypto {
namespace {

using core::CertificateFacts;
using core::KeyAlgorithm;
using core::NameAttributeType;
using testing::must;

const std::filesystem::path kFoundries = BIRTHMARK_TEST_DATA "/foundries";

// JSON strings of the captures have their line ends escaped.
std::string unescape_lines(const std::string& text) {
  std::string plain;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const bool escaped = text.compare(at, 2, "\\n") == 0;
    plain += escaped ? '\n' : text[at];
    if (escaped) ++at;
  }
  return plain;
}

// Every certificate in the captured files, with the name of the file.
std::vector<std::pair<std::string, Bytes>> captured_certificates() {
  constexpr std::string_view kOpening = "-----BEGIN CERTIFICATE-----\n";
  std::vector<std::pair<std::string, Bytes>> found;
  for (const auto& entry : std::filesystem::directory_iterator(kFoundries)) {
    const std::string text = unescape_lines(testing::read_test_file(entry.path()));
    for (std::size_t at = text.find(kOpening); at != std::string::npos; at = text.find(kOpening, at + 1))
      found.emplace_back(entry.path().filename(), must(decode_first_pem(std::string_view(text).substr(at))).contents);
  }
  return found;
}

Bytes certificate_file(const char* file) {
  return must(decode_first_pem(testing::read_test_file(kFoundries / file))).contents;
}

X509Handle openssl_certificate(ByteView der) {
  const unsigned char* at = der.data();
  X509Handle certificate(d2i_X509(nullptr, &at, static_cast<long>(der.size())));
  if (at != der.data() + der.size()) certificate.reset();
  return certificate;
}

Instant to_instant(const ASN1_TIME* time) {
  std::tm parts{};
  EXPECT_EQ(ASN1_TIME_to_tm(time, &parts), 1);
  return std::chrono::sys_seconds(std::chrono::seconds(::timegm(&parts)));
}

Bytes octets_of(const ASN1_OCTET_STRING* string) {
  if (string == nullptr) return {};
  return to_bytes({ASN1_STRING_get0_data(string), static_cast<std::size_t>(ASN1_STRING_length(string))});
}

void expect_same_as_openssl(const CertificateFacts& facts, X509* certificate) {
  EXPECT_EQ(facts.issuer_der, testing::encode_name(X509_get_issuer_name(certificate)));
  EXPECT_EQ(facts.subject_der, testing::encode_name(X509_get_subject_name(certificate)));
  EXPECT_EQ(facts.spki_der, testing::encode_public_key(X509_get0_pubkey(certificate)));
  EXPECT_EQ(facts.not_before, to_instant(X509_get0_notBefore(certificate)));
  EXPECT_EQ(facts.not_after, to_instant(X509_get0_notAfter(certificate)));
  const std::uint32_t flags = X509_get_extension_flags(certificate);
  EXPECT_EQ(facts.is_ca, (flags & EXFLAG_CA) != 0);
  EXPECT_EQ(facts.path_length.value_or(-1), static_cast<int>(X509_get_pathlen(certificate)));
  EXPECT_EQ(facts.key_usage.has_value(), (flags & EXFLAG_KUSAGE) != 0);
  if (facts.key_usage) {
    const std::uint32_t usage = X509_get_key_usage(certificate);
    EXPECT_EQ((*facts.key_usage & 1U << 0U) != 0, (usage & KU_DIGITAL_SIGNATURE) != 0);
    EXPECT_EQ((*facts.key_usage & 1U << 5U) != 0, (usage & KU_KEY_CERT_SIGN) != 0);
    EXPECT_EQ((*facts.key_usage & 1U << 6U) != 0, (usage & KU_CRL_SIGN) != 0);
  }
  const std::uint32_t purposes = (flags & EXFLAG_XKUSAGE) != 0 ? X509_get_extended_key_usage(certificate) : 0;
  EXPECT_EQ(facts.client_auth, (purposes & XKU_SSL_CLIENT) != 0);
  EXPECT_EQ(facts.server_auth, (purposes & XKU_SSL_SERVER) != 0);
  EXPECT_EQ(facts.subject_key_id, octets_of(X509_get0_subject_key_id(certificate)));
  EXPECT_EQ(facts.authority_key_id, octets_of(X509_get0_authority_key_id(certificate)));

  unsigned char* encoded = nullptr;
  const int encoded_size = i2d_ASN1_INTEGER(X509_get0_serialNumber(certificate), &encoded);
  EXPECT_EQ(der::value(der::kInteger, {facts.serial}), Bytes(encoded, encoded + encoded_size));
  OPENSSL_free(encoded);
  Fingerprint fingerprint;
  unsigned size = 0;
  EXPECT_EQ(X509_digest(certificate, EVP_sha256(), fingerprint.octets.data(), &size), 1);
  EXPECT_EQ(facts.fingerprint, fingerprint);
}

TEST(CertificateReader, ReadsEveryCertificateOfFioctlAsOpenSslDoes) {
  const auto certificates = captured_certificates();
  EXPECT_GE(certificates.size(), 9U);
  std::size_t long_serials = 0;
  for (const auto& [file, der] : certificates) {
    SCOPED_TRACE(file);
    const CertificateFacts facts = must(read_certificate(der));
    const X509Handle certificate = openssl_certificate(der);
    ASSERT_NE(certificate, nullptr);
    expect_same_as_openssl(facts, certificate.get());
    EXPECT_EQ(facts.key_algorithm, KeyAlgorithm::ec_p256);
    if (facts.serial.size() == 21) ++long_serials;
  }
  EXPECT_GT(long_serials, 0U) << "fioctl writes 160 random bits";
}

TEST(CertificateReader, EveryCertificateOfFioctlVerifiesUnderItsRoot) {
  // The captures come from several runs, each with a root of its own.
  const auto certificates = captured_certificates();
  std::map<Bytes, X509Handle> roots;
  for (const auto& [file, der] : certificates) {
    const CertificateFacts facts = must(read_certificate(der));
    if (facts.subject_der == facts.issuer_der) roots[facts.subject_key_id] = openssl_certificate(der);
  }
  ASSERT_FALSE(roots.empty());
  std::size_t verified = 0;
  for (const auto& [file, der] : certificates) {
    const CertificateFacts facts = must(read_certificate(der));
    const auto root = roots.find(facts.authority_key_id.empty() ? facts.subject_key_id : facts.authority_key_id);
    if (root == roots.end()) continue;  // of a run whose root was not captured
    EXPECT_EQ(X509_verify(openssl_certificate(der).get(), X509_get0_pubkey(root->second.get())), 1) << file;
    ++verified;
  }
  EXPECT_GE(verified, 4U);
}

TEST(CertificateReader, SaysWhatALocalCaIs) {
  const CertificateFacts facts = must(read_certificate(certificate_file("local-ca.pem")));
  EXPECT_TRUE(facts.is_ca);
  EXPECT_EQ(facts.path_length, 0);
  EXPECT_EQ(facts.key_usage, 1U << 5U);  // keyCertSign
  EXPECT_FALSE(facts.client_auth);
  EXPECT_EQ(facts.values(NameAttributeType::organizational_unit), std::vector<std::string_view>{"acme"});
  EXPECT_EQ(facts.authority_key_id, must(read_certificate(certificate_file("factory_ca.pem"))).subject_key_id);
}

// A self-signed certificate as OpenSSL's API makes it, with one change.
template <class Change>
Bytes make_certificate(EVP_PKEY* key, Change change) {
  const X509Handle certificate(X509_new());
  X509_set_version(certificate.get(), X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), 5);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), 0);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 3600);
  X509_NAME* name = X509_get_subject_name(certificate.get());
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, reinterpret_cast<const unsigned char*>("foreign"), -1, -1, 0);
  X509_set_issuer_name(certificate.get(), name);
  X509_set_pubkey(certificate.get(), key);
  change(certificate.get());
  EXPECT_GT(X509_sign(certificate.get(), key, EVP_sha256()), 0);
  unsigned char* encoded = nullptr;
  const int size = i2d_X509(certificate.get(), &encoded);
  Bytes der(encoded, encoded + size);
  OPENSSL_free(encoded);
  return der;
}

void add_extension(X509* certificate, int nid, const char* value) {
  const X509ExtensionHandle extension(X509V3_EXT_conf_nid(nullptr, nullptr, nid, value));
  ASSERT_NE(extension, nullptr);
  EXPECT_EQ(X509_add_ext(certificate, extension.get(), -1), 1);
}

TEST(CertificateReader, ReadsForeignKeysVersionsAndNames) {
  const PrivateKey rsa = testing::generate_rsa(2048);
  const PrivateKey p384 = testing::generate_ec("P-384");
  const PrivateKey p521 = testing::generate_ec("P-521");
  const auto unchanged = [](X509*) {};
  EXPECT_EQ(must(read_certificate(make_certificate(rsa.get(), unchanged))).key_algorithm, KeyAlgorithm::rsa);
  EXPECT_EQ(must(read_certificate(make_certificate(p384.get(), unchanged))).key_algorithm, KeyAlgorithm::ec_p384);
  EXPECT_EQ(must(read_certificate(make_certificate(p521.get(), unchanged))).key_algorithm, KeyAlgorithm::ec_p521);
  const PkeyHandle k256(EVP_EC_gen("secp256k1"));
  EXPECT_EQ(must(read_certificate(make_certificate(k256.get(), unchanged))).key_algorithm, KeyAlgorithm::other);

  const Bytes version_1 = make_certificate(p384.get(), [](X509* certificate) { X509_set_version(certificate, X509_VERSION_1); });
  EXPECT_FALSE(must(read_certificate(version_1)).is_ca);

  const Bytes negative = make_certificate(p384.get(), [](X509* certificate) { ASN1_INTEGER_set(X509_get_serialNumber(certificate), -2); });
  EXPECT_EQ(must(read_certificate(negative)).serial, Bytes{0xfe});

  const Bytes bmp = make_certificate(p384.get(), [](X509* certificate) {
    const unsigned char text[] = {0x00, 'd', 0x00, 0xe9};
    X509_NAME_add_entry_by_NID(X509_get_subject_name(certificate), NID_organizationalUnitName, V_ASN1_BMPSTRING, text, sizeof text, -1, 0);
  });
  EXPECT_EQ(must(read_certificate(bmp)).values(NameAttributeType::organizational_unit), std::vector<std::string_view>{"d\u00e9"});
}

TEST(CertificateReader, ReadsExtensionsAsOpenSslDoes) {
  const PrivateKey key = must(PrivateKey::generate_p256());
  const Bytes der = make_certificate(key.get(), [](X509* certificate) {
    add_extension(certificate, NID_basic_constraints, "critical,CA:TRUE,pathlen:300");
    add_extension(certificate, NID_key_usage, "critical,digitalSignature,keyCertSign,cRLSign,decipherOnly");
    add_extension(certificate, NID_ext_key_usage, "serverAuth,clientAuth,codeSigning");
    add_extension(certificate, NID_subject_alt_name, "DNS:example.com");
    add_extension(certificate, NID_netscape_comment, "an extension that nobody here knows");
  });
  const CertificateFacts facts = must(read_certificate(der));
  const X509Handle certificate = openssl_certificate(der);
  expect_same_as_openssl(facts, certificate.get());
  EXPECT_EQ(facts.path_length, 300);
  EXPECT_EQ(facts.key_usage, 1U << 0U | 1U << 5U | 1U << 6U | 1U << 8U);
  EXPECT_TRUE(facts.client_auth && facts.server_auth);
}

TEST(CertificateReader, RefusesExtensionsThatAreMalformedOrRepeated) {
  const PrivateKey key = must(PrivateKey::generate_p256());
  const auto with_extension = [&](int nid, const char* hex_value, int times) {
    return make_certificate(key.get(), [&](X509* certificate) {
      const Bytes value = from_hex(hex_value).value();
      const std::unique_ptr<ASN1_OCTET_STRING, Freer<ASN1_OCTET_STRING_free>> octets(ASN1_OCTET_STRING_new());
      ASN1_OCTET_STRING_set(octets.get(), value.data(), static_cast<int>(value.size()));
      for (int i = 0; i < times; ++i) {
        const X509ExtensionHandle extension(X509_EXTENSION_create_by_NID(nullptr, nid, 0, octets.get()));
        X509_add_ext(certificate, extension.get(), -1);
      }
    });
  };
  EXPECT_TRUE(read_certificate(with_extension(NID_basic_constraints, "3003010100", 1)).has_value()) << "the default written out";
  EXPECT_TRUE(read_certificate(with_extension(NID_basic_constraints, "30030101ff", 1)).has_value());
  struct Case {
    int nid;
    const char* value;
    int times;
    const char* phrase;
  };
  for (const Case& bad :
       {Case{NID_basic_constraints, "30030101ff", 2, "extension twice"}, Case{NID_basic_constraints, "300301017f", 1, "not DER"},
        Case{NID_basic_constraints, "30030201ff", 1, "basicConstraints"}, Case{NID_basic_constraints, "020100", 1, "basicConstraints"},
        Case{NID_basic_constraints, "30060101ff0500", 1, "not DER"}, Case{NID_basic_constraints, "30060101ff020500", 1, "not DER"},
        Case{NID_key_usage, "0305000102030400", 1, "not DER"}, Case{NID_key_usage, "030400010203", 1, "keyUsage"},
        Case{NID_ext_key_usage, "3000", 1, "extendedKeyUsage"}, Case{NID_ext_key_usage, "3003020101", 1, "extendedKeyUsage"},
        Case{NID_subject_key_identifier, "0400", 1, "subjectKeyIdentifier"}, Case{NID_subject_key_identifier, "0401ff00", 1, "not DER"},
        Case{NID_authority_key_identifier, "30038201ff", 1, "authorityKeyIdentifier"},
        Case{NID_authority_key_identifier, "0401ff", 1, "authorityKeyIdentifier"}}) {
    const Result<CertificateFacts> facts = read_certificate(with_extension(bad.nid, bad.value, bad.times));
    ASSERT_FALSE(facts.has_value()) << bad.value;
    EXPECT_EQ(facts.error().code, ErrorCode::invalid);
    EXPECT_NE(facts.error().public_message.find(bad.phrase), std::string::npos) << bad.value << ": " << facts.error().describe();
  }
}

TEST(CertificateReader, RefusesACertificateCutAnywhereOrWithMoreAfterIt) {
  const Bytes der = certificate_file("tls-crt");
  for (std::size_t size = 0; size < der.size(); ++size) EXPECT_FALSE(read_certificate(ByteView(der).first(size)).has_value()) << size;
  Bytes longer = der;
  longer.push_back(0);
  EXPECT_NE(read_certificate(longer).error().public_message.find("bytes follow it"), std::string::npos);
}

// Whatever octet changes: no crash, and where both we and OpenSSL still read a certificate, we read the same one.
TEST(CertificateReader, WithAnyOctetChangedAgreesWithOpenSsl) {
  const Bytes der = certificate_file("local-ca.pem");
  std::size_t both = 0;
  for (std::size_t at = 0; at < der.size(); ++at) {
    for (const unsigned change : {0x01U, 0x20U, 0x80U}) {
      Bytes changed = der;
      changed[at] = static_cast<std::uint8_t>(changed[at] ^ change);
      const Result<CertificateFacts> facts = read_certificate(changed);
      if (!facts) continue;
      const X509Handle certificate = openssl_certificate(changed);
      const bool usable = certificate && X509_get0_pubkey(certificate.get()) != nullptr &&
                          (X509_get_extension_flags(certificate.get()) & EXFLAG_INVALID) == 0;
      ERR_clear_error();
      if (!usable) continue;
      SCOPED_TRACE(std::to_string(at) + " xor " + std::to_string(change));
      expect_same_as_openssl(*facts, certificate.get());
      ++both;
    }
  }
  EXPECT_GT(both, 100U) << "the comparison must have happened";
}

}  // namespace
}  // namespace birthmark::crypto
