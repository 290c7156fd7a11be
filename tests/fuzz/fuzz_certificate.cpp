// SPDX-License-Identifier: Apache-2.0
// Differential: a certificate that both our reader and OpenSSL read says the same to both.
#include <ctime>

#include "crypto/certificate_reader.h"
#include "crypto/der_writer.h"
#include "crypto/test_support.h"

namespace {

using namespace birthmark;
using namespace birthmark::crypto;

Bytes octets_of(const ASN1_OCTET_STRING* string) {
  if (string == nullptr) return {};
  return to_bytes({ASN1_STRING_get0_data(string), static_cast<std::size_t>(ASN1_STRING_length(string))});
}

void check_time(Instant ours, const ASN1_TIME* theirs) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(theirs, &parts) != 1) return;  // OpenSSL reads times only when it is asked to
  BIRTHMARK_ASSERT(ours == std::chrono::sys_seconds(std::chrono::seconds(::timegm(&parts))));
}

void check_serial(const Bytes& ours, X509* certificate) {
  unsigned char* encoded = nullptr;
  const int size = i2d_ASN1_INTEGER(X509_get0_serialNumber(certificate), &encoded);
  BIRTHMARK_ASSERT(size > 0);
  BIRTHMARK_ASSERT(der::value(der::kInteger, {ours}) == to_bytes({encoded, static_cast<std::size_t>(size)}));
  OPENSSL_free(encoded);
}

void check_key(const core::CertificateFacts& facts, X509* certificate) {
  unsigned char* encoded = nullptr;
  const int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &encoded);
  if (size <= 0) return;  // a key that OpenSSL cannot read
  BIRTHMARK_ASSERT(facts.spki_der == to_bytes({encoded, static_cast<std::size_t>(size)}));
  OPENSSL_free(encoded);
}

void check_subject(const core::CertificateFacts& facts, X509* certificate) {
  const X509_NAME* const name = X509_get_subject_name(certificate);
  BIRTHMARK_ASSERT(X509_NAME_entry_count(name) == static_cast<int>(facts.subject.size()));
  int index = 0;
  for (const core::NameAttribute& attribute : facts.subject) {
    unsigned char* text = nullptr;
    const int size = ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, index++)));
    if (size >= 0 && !attribute.value.empty()) BIRTHMARK_ASSERT(as_text({text, static_cast<std::size_t>(size)}) == attribute.value);
    if (size >= 0) OPENSSL_free(text);
  }
}

void check_extensions(const core::CertificateFacts& facts, X509* certificate) {
  const std::uint32_t flags = X509_get_extension_flags(certificate);
  if ((flags & EXFLAG_INVALID) != 0) return;
  BIRTHMARK_ASSERT(facts.is_ca == ((flags & EXFLAG_CA) != 0));
  BIRTHMARK_ASSERT(facts.path_length.value_or(-1) == X509_get_pathlen(certificate));
  BIRTHMARK_ASSERT(facts.key_usage.has_value() == ((flags & EXFLAG_KUSAGE) != 0));
  if (facts.key_usage) {
    const std::uint32_t usage = X509_get_key_usage(certificate);
    BIRTHMARK_ASSERT(((*facts.key_usage & 1U << 0U) != 0) == ((usage & KU_DIGITAL_SIGNATURE) != 0));
    BIRTHMARK_ASSERT(((*facts.key_usage & 1U << 5U) != 0) == ((usage & KU_KEY_CERT_SIGN) != 0));
    BIRTHMARK_ASSERT(((*facts.key_usage & 1U << 6U) != 0) == ((usage & KU_CRL_SIGN) != 0));
  }
  const std::uint32_t purposes = (flags & EXFLAG_XKUSAGE) != 0 ? X509_get_extended_key_usage(certificate) : 0;
  BIRTHMARK_ASSERT(facts.client_auth == ((purposes & XKU_SSL_CLIENT) != 0));
  BIRTHMARK_ASSERT(facts.server_auth == ((purposes & XKU_SSL_SERVER) != 0));
  BIRTHMARK_ASSERT(facts.subject_key_id == octets_of(X509_get0_subject_key_id(certificate)));
  BIRTHMARK_ASSERT(facts.authority_key_id == octets_of(X509_get0_authority_key_id(certificate)));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Result<core::CertificateFacts> facts = read_certificate({data, size});
  if (!facts) return 0;
  const unsigned char* at = data;
  const X509Handle certificate(d2i_X509(nullptr, &at, static_cast<long>(size)));
  if (certificate) {
    BIRTHMARK_ASSERT(at == data + size);
    BIRTHMARK_ASSERT(facts->subject_der == testing::encode_name(X509_get_subject_name(certificate.get())));
    BIRTHMARK_ASSERT(facts->issuer_der == testing::encode_name(X509_get_issuer_name(certificate.get())));
    check_serial(facts->serial, certificate.get());
    check_time(facts->not_before, X509_get0_notBefore(certificate.get()));
    check_time(facts->not_after, X509_get0_notAfter(certificate.get()));
    check_key(*facts, certificate.get());
    check_subject(*facts, certificate.get());
    check_extensions(*facts, certificate.get());
  }
  ERR_clear_error();
  return 0;
}
