// SPDX-License-Identifier: Apache-2.0
#include "crypto/pki/certificate.h"

#include <array>
#include <ctime>
#include <optional>

#include "base/pem.h"

namespace birthmark::crypto {
namespace {

constexpr int kMinimumRsaBits = 2048;

struct OpensslFree {
  void operator()(char* text) const { OPENSSL_free(text); }
};
using OpensslText = std::unique_ptr<char, OpensslFree>;
using BasicConstraintsHandle = std::unique_ptr<BASIC_CONSTRAINTS, Freer<BASIC_CONSTRAINTS_free>>;
using ExtendedKeyUsageHandle = std::unique_ptr<EXTENDED_KEY_USAGE, Freer<EXTENDED_KEY_USAGE_free>>;

using GeneralNamesHandle = std::unique_ptr<GENERAL_NAMES, Freer<GENERAL_NAMES_free>>;

struct ExtensionsFree {
  void operator()(STACK_OF(X509_EXTENSION) * extensions) const { sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free); }
};
using ExtensionsHandle = std::unique_ptr<STACK_OF(X509_EXTENSION), ExtensionsFree>;

template <class Encode>
Bytes encoded(Encode encode) {
  const int size = encode(nullptr);
  if (size <= 0) return {};  // equal to no input
  Bytes der(static_cast<std::size_t>(size));
  unsigned char* end = der.data();
  encode(&end);
  return der;
}

SpkiHash hash_spki(X509_PUBKEY* key) {
  const Bytes der = encoded([key](unsigned char** to) { return i2d_X509_PUBKEY(key, to); });
  SpkiHash hash;
  BIRTHMARK_ASSERT(EVP_Digest(der.data(), der.size(), hash.octets.data(), nullptr, EVP_sha256(), nullptr) == 1);
  return hash;
}

// Without this a request whose key is the point at infinity passes, with a self-signature that anyone can make.
Status check_public_key(EVP_PKEY* key) {
  if (key == nullptr) return openssl_failure(ErrorCode::invalid, "the request's public key cannot be used");
  if (EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA && EVP_PKEY_get_bits(key) < kMinimumRsaBits) {
    return fail(ErrorCode::invalid, "the request's RSA key is shorter than 2048 bits");
  }
  const PkeyContextHandle context(EVP_PKEY_CTX_new_from_pkey(nullptr, key, nullptr));
  if (!context || EVP_PKEY_public_check(context.get()) != 1) {
    return openssl_failure(ErrorCode::invalid, "the request's public key is not a sound one");
  }
  return {};
}

bool requested_ca(X509_REQ* request) {
  const ExtensionsHandle extensions(X509_REQ_get_extensions(request));
  if (!extensions) return false;
  const BasicConstraintsHandle constraints(
      static_cast<BASIC_CONSTRAINTS*>(X509V3_get_d2i(extensions.get(), NID_basic_constraints, nullptr, nullptr)));
  return constraints && constraints->ca != 0;
}

Result<X509ReqHandle> decode_request(ByteView der) {
  const unsigned char* at = der.data();
  X509ReqHandle request(d2i_X509_REQ(nullptr, &at, static_cast<long>(der.size())));
  if (!request) return openssl_failure(ErrorCode::invalid, "the certificate request cannot be read");
  X509_REQ* raw = request.get();
  if (!equal(encoded([raw](unsigned char** to) { return i2d_X509_REQ(raw, to); }), der)) {
    return fail(ErrorCode::invalid, "the certificate request is not DER, or something follows it");
  }
  return request;
}

}  // namespace

Result<Certificate> Certificate::from_der(ByteView der) {
  const unsigned char* at = der.data();
  X509Handle x509(d2i_X509(nullptr, &at, static_cast<long>(der.size())));
  if (!x509) return openssl_failure(ErrorCode::invalid, "the certificate cannot be read");
  X509* raw = x509.get();
  if (!equal(encoded([raw](unsigned char** to) { return i2d_X509(raw, to); }), der)) {
    return fail(ErrorCode::invalid, "the certificate is not DER, or something follows it");
  }
  if (X509_get0_pubkey(raw) == nullptr) return openssl_failure(ErrorCode::invalid, "the certificate's public key cannot be used");
  if (ASN1_TIME_check(X509_get0_notBefore(raw)) != 1 || ASN1_TIME_check(X509_get0_notAfter(raw)) != 1) {
    return fail(ErrorCode::invalid, "the certificate's validity cannot be read");
  }
  // Parses and caches every extension once; one that cannot be parsed makes the whole certificate useless.
  if ((X509_get_extension_flags(raw) & EXFLAG_INVALID) != 0) {
    return openssl_failure(ErrorCode::invalid, "an extension of the certificate cannot be read");
  }
  return Certificate(std::move(x509), to_bytes(der));
}

Result<Certificate> Certificate::from_pem(std::string_view text) {
  BIRTHMARK_TRY(const auto blocks, decode_pem(text));
  const PemBlock* found = nullptr;
  for (const PemBlock& block : blocks) {
    if (block.label != "CERTIFICATE") continue;
    if (found != nullptr) return fail(ErrorCode::invalid, "there is more than one certificate where one is expected");
    found = &block;
  }
  if (found == nullptr) return fail(ErrorCode::not_found, "there is no certificate");
  return from_der(found->contents);
}

std::string Certificate::pem() const {
  return encode_pem("CERTIFICATE", der_);
}

Fingerprint Certificate::fingerprint() const {
  Fingerprint hash;
  BIRTHMARK_ASSERT(EVP_Digest(der_.data(), der_.size(), hash.octets.data(), nullptr, EVP_sha256(), nullptr) == 1);
  return hash;
}

SpkiHash Certificate::spki_sha256() const {
  return hash_spki(X509_get_X509_PUBKEY(x509_.get()));
}

Bytes Certificate::subject_der() const {
  const X509_NAME* name = X509_get_subject_name(x509_.get());
  return encoded([name](unsigned char** to) { return i2d_X509_NAME(name, to); });
}

std::string Certificate::subject_text() const {
  return name_text(X509_get_subject_name(x509_.get()));
}
std::string Certificate::issuer_text() const {
  return name_text(X509_get_issuer_name(x509_.get()));
}

std::vector<std::string> Certificate::common_names() const {
  return name_values(X509_get_subject_name(x509_.get()), NID_commonName);
}

std::vector<std::string> Certificate::organizational_units() const {
  return name_values(X509_get_subject_name(x509_.get()), NID_organizationalUnitName);
}

std::string Certificate::serial_decimal() const {
  return integer_decimal(X509_get0_serialNumber(x509_.get()));
}
Result<Serial> Certificate::serial() const {
  const ASN1_INTEGER* number = X509_get0_serialNumber(x509_.get());
  if (ASN1_STRING_type(number) == V_ASN1_NEG_INTEGER) return fail(ErrorCode::invalid, "the certificate has a negative serial number");
  return Serial::from_magnitude({ASN1_STRING_get0_data(number), static_cast<std::size_t>(ASN1_STRING_length(number))});
}
Instant Certificate::not_before() const {
  return to_instant(X509_get0_notBefore(x509_.get()));
}
Instant Certificate::not_after() const {
  return to_instant(X509_get0_notAfter(x509_.get()));
}
bool Certificate::is_ca() const {
  return (X509_get_extension_flags(x509_.get()) & EXFLAG_CA) != 0;
}

bool Certificate::has_server_auth() const {
  const ExtendedKeyUsageHandle usages(static_cast<EXTENDED_KEY_USAGE*>(X509_get_ext_d2i(x509_.get(), NID_ext_key_usage, nullptr, nullptr)));
  for (int i = 0; usages && i < sk_ASN1_OBJECT_num(usages.get()); ++i) {
    if (OBJ_obj2nid(sk_ASN1_OBJECT_value(usages.get(), i)) == NID_server_auth) return true;
  }
  return false;
}

std::vector<std::string> Certificate::dns_names() const {
  const GeneralNamesHandle names(static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(x509_.get(), NID_subject_alt_name, nullptr, nullptr)));
  std::vector<std::string> found;
  for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    int type = 0;
    const void* value = GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(names.get(), i), &type);
    if (type != GEN_DNS) continue;
    const auto* text = static_cast<const ASN1_STRING*>(value);
    found.emplace_back(reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)), static_cast<std::size_t>(ASN1_STRING_length(text)));
  }
  return found;
}

Bytes Certificate::key_identifier() const {
  if (const ASN1_OCTET_STRING* present = X509_get0_subject_key_id(x509_.get())) {
    const unsigned char* data = ASN1_STRING_get0_data(present);
    return {data, data + ASN1_STRING_length(present)};
  }
  Bytes hash(20);
  BIRTHMARK_ASSERT(X509_pubkey_digest(x509_.get(), EVP_sha1(), hash.data(), nullptr) == 1);
  return hash;
}

bool Certificate::is_signed_by(const Certificate& issuer) const {
  if (X509_NAME_cmp(X509_get_issuer_name(x509_.get()), X509_get_subject_name(issuer.get())) != 0) return false;
  const bool fits = X509_verify(x509_.get(), X509_get0_pubkey(issuer.get())) == 1;
  ERR_clear_error();
  return fits;
}

Result<CertificateRequest> CertificateRequest::from_pem(std::string_view text) {
  BIRTHMARK_TRY(const auto blocks, decode_pem(text));
  if (blocks.size() != 1 || (blocks[0].label != "CERTIFICATE REQUEST" && blocks[0].label != "NEW CERTIFICATE REQUEST")) {
    return fail(ErrorCode::invalid, "a certificate request is expected: one CERTIFICATE REQUEST block and no other");
  }
  BIRTHMARK_TRY(X509ReqHandle request, decode_request(blocks[0].contents));
  EVP_PKEY* key = X509_REQ_get0_pubkey(request.get());
  BIRTHMARK_CHECK(check_public_key(key));
  if (X509_REQ_verify(request.get(), key) != 1) {
    return openssl_failure(ErrorCode::invalid, "the certificate request's own signature is wrong");
  }
  const bool asks_for_ca = requested_ca(request.get());
  return CertificateRequest(std::move(request), asks_for_ca);
}

SpkiHash CertificateRequest::spki_sha256() const {
  return hash_spki(X509_REQ_get_X509_PUBKEY(request_.get()));
}

std::vector<std::string> CertificateRequest::organizational_units() const {
  return name_values(X509_REQ_get_subject_name(request_.get()), NID_organizationalUnitName);
}

namespace {

std::string entry_value(const X509_NAME_ENTRY* entry) {
  unsigned char* utf8 = nullptr;
  const int size = ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(entry));
  if (size < 0) {
    ERR_clear_error();
    return "?";
  }
  std::string value(reinterpret_cast<const char*>(utf8), static_cast<std::size_t>(size));
  OPENSSL_free(utf8);
  return value;
}

// RFC 4514 2.4, and control characters too: this text goes to terminals.
void append_escaped(std::string& to, std::string_view value) {
  for (const char c : value) {
    const bool control = static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
    if (control) {
      constexpr std::string_view kHex = "0123456789abcdef";
      to += '\\';
      to += kHex[static_cast<unsigned char>(c) >> 4U];
      to += kHex[static_cast<unsigned char>(c) & 15U];
      continue;
    }
    if (std::string_view(",+\"\\<>;").find(c) != std::string_view::npos) to += '\\';
    to += c;
  }
}

std::string attribute_label(const ASN1_OBJECT* object) {
  const int nid = OBJ_obj2nid(object);
  if (nid != NID_undef) return OBJ_nid2sn(nid);
  std::array<char, 80> dotted{};
  OBJ_obj2txt(dotted.data(), static_cast<int>(dotted.size()), object, 1);
  return dotted.data();
}

}  // namespace

std::string name_text(const X509_NAME* name) {
  // Common name first whatever the order in the certificate, as fioctl shows it (protocol facts, Foundries 1.11).
  std::string front;
  std::string rest;
  for (int i = X509_NAME_entry_count(name) - 1; i >= 0; --i) {
    const X509_NAME_ENTRY* entry = X509_NAME_get_entry(name, i);
    const ASN1_OBJECT* object = X509_NAME_ENTRY_get_object(entry);
    std::string& to = OBJ_obj2nid(object) == NID_commonName ? front : rest;
    if (!to.empty()) to += ',';
    to += attribute_label(object) + "=";
    append_escaped(to, entry_value(entry));
  }
  if (front.empty() || rest.empty()) return front + rest;
  return front + "," + rest;
}

std::vector<std::string> name_values(const X509_NAME* name, int nid) {
  std::vector<std::string> values;
  for (int at = X509_NAME_get_index_by_NID(name, nid, -1); at >= 0; at = X509_NAME_get_index_by_NID(name, nid, at)) {
    values.push_back(entry_value(X509_NAME_get_entry(name, at)));
  }
  return values;
}

std::string integer_decimal(const ASN1_INTEGER* number) {
  const BignumHandle value(ASN1_INTEGER_to_BN(number, nullptr));
  if (!value) {
    ERR_clear_error();
    return "?";
  }
  const OpensslText text(BN_bn2dec(value.get()));
  BIRTHMARK_ASSERT(text != nullptr);
  return text.get();
}

Instant to_instant(const ASN1_TIME* time) {
  std::tm parts{};
  BIRTHMARK_ASSERT(ASN1_TIME_to_tm(time, &parts) == 1);
  const auto day = std::chrono::year(parts.tm_year + 1900) / (parts.tm_mon + 1) / parts.tm_mday;
  return std::chrono::sys_days(day) + std::chrono::hours(parts.tm_hour) + std::chrono::minutes(parts.tm_min) +
         std::chrono::seconds(parts.tm_sec);
}

Asn1TimeHandle to_asn1_time(Instant at) {
  // UTCTime up to 2049 and GeneralizedTime from 2050, RFC 5280 4.1.2.5.
  const auto seconds = std::chrono::floor<std::chrono::seconds>(at);
  return Asn1TimeHandle(ASN1_TIME_set(nullptr, seconds.time_since_epoch().count()));
}

bool CertificateSignatures::is_signed_by(ByteView certificate, ByteView issuer) const {
  const auto signed_one = Certificate::from_der(certificate);
  const auto signer = Certificate::from_der(issuer);
  return signed_one && signer && signed_one->is_signed_by(*signer);
}

}  // namespace birthmark::crypto
