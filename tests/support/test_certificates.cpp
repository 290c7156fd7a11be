// SPDX-License-Identifier: Apache-2.0
#include "test_certificates.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <memory>

namespace birthmark::testing {
namespace {

void must(bool good, const char* what) {
  if (good) return;
  std::fprintf(stderr, "a test certificate cannot be made: %s\n", what);
  ERR_print_errors_fp(stderr);
  std::abort();
}

template <auto Free>
struct Freer {
  template <class T>
  void operator()(T* object) const {
    Free(object);
  }
};
using Key = std::unique_ptr<EVP_PKEY, Freer<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Freer<X509_free>>;
using Memory = std::unique_ptr<BIO, Freer<BIO_free_all>>;

std::string text_of(const Memory& bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

Key read_key(const std::string& pem) {
  const Memory bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  Key key(PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr));
  must(key != nullptr, "key");
  return key;
}

Certificate read_certificate(const Bytes& der) {
  const unsigned char* at = der.data();
  Certificate certificate(d2i_X509(nullptr, &at, static_cast<long>(der.size())));
  must(certificate != nullptr, "issuer");
  return certificate;
}

void set_name(X509* certificate, const CertificateSpec& spec) {
  X509_NAME* name = X509_get_subject_name(certificate);
  for (const auto& [field, value] : spec.subject) {
    const auto* bytes = reinterpret_cast<const unsigned char*>(value.data());
    must(X509_NAME_add_entry_by_txt(name, field.c_str(), V_ASN1_UTF8STRING, bytes, static_cast<int>(value.size()), -1, 0) == 1, "subject");
  }
}

void set_serial(X509* certificate) {
  std::array<unsigned char, 16> octets{};
  must(RAND_bytes(octets.data(), octets.size()) == 1, "random");
  octets[0] = static_cast<unsigned char>((octets[0] & 0x3FU) | 0x40U);
  const std::unique_ptr<BIGNUM, Freer<BN_free>> number(BN_bin2bn(octets.data(), octets.size(), nullptr));
  must(BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)) != nullptr, "serial");
}

void set_extensions(X509* certificate, X509* issuer, const CertificateSpec& spec) {
  X509V3_CTX context{};
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  for (const auto& [name, value] : spec.extensions) {
    const std::unique_ptr<X509_EXTENSION, Freer<X509_EXTENSION_free>> extension(
        X509V3_EXT_nconf(nullptr, &context, name.c_str(), value.c_str()));
    must(extension && X509_add_ext(certificate, extension.get(), -1) == 1, name.c_str());
  }
}

TestCertificate written(X509* certificate, EVP_PKEY* key) {
  TestCertificate made;
  unsigned char* der = nullptr;
  const int size = i2d_X509(certificate, &der);
  must(size > 0, "encoding");
  made.der.assign(der, der + size);
  OPENSSL_free(der);
  const Memory pem(BIO_new(BIO_s_mem())), key_pem(BIO_new(BIO_s_mem())), public_pem(BIO_new(BIO_s_mem()));
  must(PEM_write_bio_X509(pem.get(), certificate) == 1, "PEM");
  must(PEM_write_bio_PKCS8PrivateKey(key_pem.get(), key, nullptr, nullptr, 0, nullptr, nullptr) == 1, "key PEM");
  must(PEM_write_bio_PUBKEY(public_pem.get(), key) == 1, "public key PEM");
  made.pem = text_of(pem);
  made.key_pem = text_of(key_pem);
  made.public_key_pem = text_of(public_pem);
  return made;
}

}  // namespace

TestCertificate make_certificate(const CertificateSpec& spec, const TestCertificate* issuer) {
  const Key key = spec.key_pem.empty() ? Key(EVP_EC_gen(spec.curve.c_str())) : read_key(spec.key_pem);
  const Certificate certificate(X509_new());
  must(key && certificate && X509_set_version(certificate.get(), 2) == 1, "allocation");
  set_serial(certificate.get());
  set_name(certificate.get(), spec);
  const Certificate issuing = issuer != nullptr ? read_certificate(issuer->der) : nullptr;
  X509* signs = issuing ? issuing.get() : certificate.get();
  must(X509_set_issuer_name(certificate.get(), X509_get_subject_name(signs)) == 1, "issuer name");
  const auto seconds = [](std::chrono::hours hours) { return static_cast<long>(std::chrono::seconds(hours).count()); };
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), seconds(spec.from));
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), seconds(spec.to));
  must(X509_set_pubkey(certificate.get(), key.get()) == 1, "public key");
  set_extensions(certificate.get(), signs, spec);
  const Key signing = issuer != nullptr ? read_key(issuer->key_pem) : nullptr;
  must(X509_sign(certificate.get(), signing ? signing.get() : key.get(), EVP_sha256()) > 0, "signature");
  return written(certificate.get(), key.get());
}

TestCertificate make_authority(const std::string& name, const std::string& factory, const TestCertificate* issuer,
                               std::optional<int> path_length) {
  CertificateSpec spec;
  spec.subject = {{"CN", name}, {"OU", factory}};
  const std::string limit = path_length ? ",pathlen:" + std::to_string(*path_length) : std::string();
  spec.extensions = {{"basicConstraints", "critical,CA:TRUE" + limit},
                     {"keyUsage", "critical,keyCertSign,cRLSign"},
                     {"subjectKeyIdentifier", "hash"},
                     {"authorityKeyIdentifier", "keyid"}};
  if (issuer == nullptr) spec.extensions.pop_back();
  spec.to = std::chrono::hours(24) * 3650;
  return make_certificate(spec, issuer);
}

CertificateSpec device_spec(const std::string& id, const std::string& factory) {
  CertificateSpec spec;
  spec.subject = {{"CN", id}, {"OU", factory}};
  spec.extensions = {{"keyUsage", "critical,digitalSignature"}, {"extendedKeyUsage", "critical,clientAuth"}};
  return spec;
}

TestCertificate make_server_certificate(const std::vector<std::string>& names, const TestCertificate& issuer) {
  CertificateSpec spec;
  spec.subject = {{"CN", names.front()}};
  std::string alternatives;
  for (const std::string& name : names) alternatives += (alternatives.empty() ? "DNS:" : ",DNS:") + name;
  spec.extensions = {{"keyUsage", "critical,digitalSignature"}, {"extendedKeyUsage", "serverAuth"}, {"subjectAltName", alternatives}};
  return make_certificate(spec, &issuer);
}

}  // namespace birthmark::testing
