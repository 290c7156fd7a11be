// SPDX-License-Identifier: Apache-2.0
#include "crypto/pki/profiles.h"

#include <algorithm>
#include <array>
#include <initializer_list>

namespace birthmark::crypto {
namespace {

constexpr int kRootYears = 20;
constexpr int kIssuedYears = 10;
constexpr int kVersion3 = 2;
constexpr int kLongestName = 64;  // ub-common-name and ub-organizational-unit-name, RFC 5280 appendix A

using BitStringHandle = std::unique_ptr<ASN1_BIT_STRING, Freer<ASN1_BIT_STRING_free>>;
using OctetStringHandle = std::unique_ptr<ASN1_OCTET_STRING, Freer<ASN1_OCTET_STRING_free>>;
using BasicConstraintsHandle = std::unique_ptr<BASIC_CONSTRAINTS, Freer<BASIC_CONSTRAINTS_free>>;
using ExtendedKeyUsageHandle = std::unique_ptr<EXTENDED_KEY_USAGE, Freer<EXTENDED_KEY_USAGE_free>>;
using AuthorityKeyIdHandle = std::unique_ptr<AUTHORITY_KEYID, Freer<AUTHORITY_KEYID_free>>;
using GeneralNamesHandle = std::unique_ptr<GENERAL_NAMES, Freer<GENERAL_NAMES_free>>;
using GeneralNameHandle = std::unique_ptr<GENERAL_NAME, Freer<GENERAL_NAME_free>>;

struct ExtensionsFree {
  void operator()(STACK_OF(X509_EXTENSION) * extensions) const { sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free); }
};
using ExtensionsHandle = std::unique_ptr<STACK_OF(X509_EXTENSION), ExtensionsFree>;

// Bit numbers of keyUsage, RFC 5280 4.2.1.3.
enum KeyUsageBit : int { digital_signature = 0, key_cert_sign = 5, crl_sign = 6 };

enum class Criticality : int { no = 0, yes = 1 };
enum class PathLength { unlimited, zero };

tl::unexpected<Error> construction_failed() {
  return openssl_failure(ErrorCode::internal, "the certificate could not be put together");
}

Status add_extension(X509* certificate, int nid, void* value, Criticality criticality) {
  if (value == nullptr || X509_add1_ext_i2d(certificate, nid, value, static_cast<int>(criticality), X509V3_ADD_APPEND) != 1) {
    return construction_failed();
  }
  return {};
}

Status add_key_usage(X509* certificate, std::initializer_list<KeyUsageBit> bits) {
  const BitStringHandle usage(ASN1_BIT_STRING_new());
  if (!usage) return construction_failed();
  for (const KeyUsageBit bit : bits) {
    if (ASN1_BIT_STRING_set_bit(usage.get(), bit, 1) != 1) return construction_failed();
  }
  return add_extension(certificate, NID_key_usage, usage.get(), Criticality::yes);
}

Status add_extended_key_usage(X509* certificate, std::initializer_list<int> nids) {
  const ExtendedKeyUsageHandle usages(sk_ASN1_OBJECT_new_null());
  if (!usages) return construction_failed();
  for (const int nid : nids) {
    if (sk_ASN1_OBJECT_push(usages.get(), OBJ_nid2obj(nid)) == 0) return construction_failed();
  }
  return add_extension(certificate, NID_ext_key_usage, usages.get(), Criticality::no);
}

Status add_ca_constraints(X509* certificate, PathLength path_length) {
  const BasicConstraintsHandle constraints(BASIC_CONSTRAINTS_new());
  if (!constraints) return construction_failed();
  constraints->ca = 0xFF;
  if (path_length == PathLength::zero) {
    constraints->pathlen = ASN1_INTEGER_new();
    if (constraints->pathlen == nullptr || ASN1_INTEGER_set_int64(constraints->pathlen, 0) != 1) return construction_failed();
  }
  return add_extension(certificate, NID_basic_constraints, constraints.get(), Criticality::yes);
}

// RFC 5280 4.2.1.2 method 1: what every released fioctl writes, and what the reference server assumes when it computes a key identifier.
Status add_subject_key_id(X509* certificate) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> hash{};
  unsigned int size = 0;
  const OctetStringHandle identifier(ASN1_OCTET_STRING_new());
  if (!identifier || X509_pubkey_digest(certificate, EVP_sha1(), hash.data(), &size) != 1 ||
      ASN1_OCTET_STRING_set(identifier.get(), hash.data(), static_cast<int>(size)) != 1) {
    return construction_failed();
  }
  return add_extension(certificate, NID_subject_key_identifier, identifier.get(), Criticality::no);
}

// Copied, never computed: roots made by other tools hash their key in other ways.
Status add_authority_key_id(X509* certificate, const Certificate& issuer) {
  const Bytes value = issuer.key_identifier();
  const AuthorityKeyIdHandle identifier(AUTHORITY_KEYID_new());
  if (!identifier) return construction_failed();
  identifier->keyid = ASN1_OCTET_STRING_new();
  if (identifier->keyid == nullptr || ASN1_OCTET_STRING_set(identifier->keyid, value.data(), static_cast<int>(value.size())) != 1) {
    return construction_failed();
  }
  return add_extension(certificate, NID_authority_key_identifier, identifier.get(), Criticality::no);
}

Status add_name_entry(X509_NAME* name, int nid, int string_type, std::string_view value, int set) {
  const auto* data = reinterpret_cast<const unsigned char*>(value.data());
  if (X509_NAME_add_entry_by_NID(name, nid, string_type, data, static_cast<int>(value.size()), -1, set) != 1) return construction_failed();
  return {};
}

// CN before OU, both UTF8String: the subjects that the ceremony itself makes.
Result<X509NameHandle> made_subject(const std::string& common_name, const std::string& factory) {
  BIRTHMARK_CHECK(check_subject_text(common_name, "the common name"));
  BIRTHMARK_CHECK(check_subject_text(factory, "the factory name"));
  X509NameHandle name(X509_NAME_new());
  if (!name) return construction_failed();
  BIRTHMARK_CHECK(add_name_entry(name.get(), NID_commonName, V_ASN1_UTF8STRING, common_name, 0));
  BIRTHMARK_CHECK(add_name_entry(name.get(), NID_organizationalUnitName, V_ASN1_UTF8STRING, factory, 0));
  return name;
}

bool is_printable_string(std::string_view value) {
  return std::all_of(value.begin(), value.end(), [](char c) {
    const bool letter_or_digit = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    return letter_or_digit || std::string_view(" '()+,-./:=?").find(c) != std::string_view::npos;  // X.680 41.4
  });
}

// The subject of a request as the original rebuilds it: nine attribute types in a fixed order, others dropped, PrintableString where
// possible; several values of one type share one RDN, of CN and serialNumber only the last counts.
Result<X509NameHandle> rebuilt_subject(const CertificateRequest& request) {
  struct Attribute {
    int nid;
    bool single;
  };
  constexpr std::array<Attribute, 9> kOrder{{{NID_countryName, false},
                                             {NID_organizationName, false},
                                             {NID_organizationalUnitName, false},
                                             {NID_localityName, false},
                                             {NID_stateOrProvinceName, false},
                                             {NID_streetAddress, false},
                                             {NID_postalCode, false},
                                             {NID_commonName, true},
                                             {NID_serialNumber, true}}};
  X509NameHandle name(X509_NAME_new());
  if (!name) return construction_failed();
  for (const Attribute& attribute : kOrder) {
    std::vector<std::string> values = name_values(X509_REQ_get_subject_name(request.get()), attribute.nid);
    if (attribute.single && values.size() > 1) values.erase(values.begin(), values.end() - 1);
    int set = 0;  // the first value opens an RDN, the others join it
    for (const std::string& value : values) {
      const int type = is_printable_string(value) ? V_ASN1_PRINTABLESTRING : V_ASN1_UTF8STRING;
      BIRTHMARK_CHECK(add_name_entry(name.get(), attribute.nid, type, value, set));
      set = -1;
    }
  }
  return name;
}

Status append_names(GENERAL_NAMES* to, const GENERAL_NAMES* from, int type) {
  for (int i = 0; i < sk_GENERAL_NAME_num(from); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(from, i);
    if (name->type != type) continue;
    GeneralNameHandle copy(GENERAL_NAME_dup(name));
    if (!copy || sk_GENERAL_NAME_push(to, copy.get()) == 0) return construction_failed();
    static_cast<void>(copy.release());
  }
  return {};
}

Status add_alternative_names(X509* certificate, const CertificateRequest& request, NameCopying copying) {
  const ExtensionsHandle extensions(X509_REQ_get_extensions(request.get()));
  if (!extensions) return {};
  int place = -1;
  const GeneralNamesHandle asked(static_cast<GENERAL_NAMES*>(X509V3_get_d2i(extensions.get(), NID_subject_alt_name, nullptr, &place)));
  if (!asked) {
    if (X509v3_get_ext_by_NID(extensions.get(), NID_subject_alt_name, -1) < 0) return {};
    return openssl_failure(ErrorCode::invalid, "the request's subject alternative names cannot be read");
  }
  const GeneralNamesHandle names(sk_GENERAL_NAME_new_null());
  if (!names) return construction_failed();
  BIRTHMARK_CHECK(append_names(names.get(), asked.get(), GEN_DNS));
  if (copying == NameCopying::dns_email_ip_uri) {
    for (const int type : {GEN_EMAIL, GEN_IPADD, GEN_URI}) BIRTHMARK_CHECK(append_names(names.get(), asked.get(), type));
  }
  if (sk_GENERAL_NAME_num(names.get()) == 0) return {};
  // RFC 5280 4.2.1.6: critical when the subject is empty.
  const bool no_subject = X509_NAME_entry_count(X509_get_subject_name(certificate)) == 0;
  return add_extension(certificate, NID_subject_alt_name, names.get(), no_subject ? Criticality::yes : Criticality::no);
}

Status set_serial(X509* certificate, core::Random& random) {
  BIRTHMARK_TRY(const Serial serial, random_serial(random));
  const ByteView magnitude = serial.magnitude();
  const BignumHandle number(BN_bin2bn(magnitude.data(), static_cast<int>(magnitude.size()), nullptr));
  if (!number || BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)) == nullptr) return construction_failed();
  return {};
}

struct Validity {
  Instant from;
  Instant until;
};

// Version, serial, names, validity and key: everything but extensions.
Result<X509Handle> begin_certificate(const X509_NAME* subject, const X509_NAME* issuer, Validity validity, EVP_PKEY* key,
                                     core::Random& random) {
  X509Handle certificate(X509_new());
  const Asn1TimeHandle from = to_asn1_time(validity.from);
  const Asn1TimeHandle until = to_asn1_time(validity.until);
  if (!certificate || !from || !until) return construction_failed();
  X509* raw = certificate.get();
  if (X509_set_version(raw, kVersion3) != 1 || X509_set_subject_name(raw, subject) != 1 || X509_set_issuer_name(raw, issuer) != 1 ||
      X509_set1_notBefore(raw, from.get()) != 1 || X509_set1_notAfter(raw, until.get()) != 1 || X509_set_pubkey(raw, key) != 1) {
    return construction_failed();
  }
  BIRTHMARK_CHECK(set_serial(raw, random));
  return certificate;
}

// Signs, and reads back what was made: nothing leaves this file that does not verify.
Result<Certificate> finish_certificate(X509Handle made, const PrivateKey& signing_key) {
  if (X509_sign(made.get(), signing_key.get(), digest_for(signing_key)) <= 0) {
    return openssl_failure(ErrorCode::internal, "signing failed");
  }
  unsigned char* der = nullptr;
  const int size = i2d_X509(made.get(), &der);
  if (size <= 0) return construction_failed();
  const Bytes bytes(der, der + size);
  OPENSSL_free(der);
  BIRTHMARK_TRY(Certificate certificate, Certificate::from_der(bytes));
  if (X509_verify(certificate.get(), signing_key.public_half()) != 1)
    return openssl_failure(ErrorCode::internal, "the new signature does not verify");
  return certificate;
}

Result<Validity> issued_validity(const Certificate& root, Instant now) {
  if (now >= root.not_after()) return fail(ErrorCode::misconfigured, "the root certificate has expired");
  return Validity{now, std::min(years_later(now, kIssuedYears), root.not_after())};
}

Status add_device_ca_extensions(X509* certificate, const Certificate& root) {
  BIRTHMARK_CHECK(add_key_usage(certificate, {key_cert_sign}));
  BIRTHMARK_CHECK(add_ca_constraints(certificate, PathLength::zero));
  BIRTHMARK_CHECK(add_subject_key_id(certificate));
  return add_authority_key_id(certificate, root);
}

}  // namespace

Status check_subject_text(const std::string& text, const std::string& what) {
  const bool control = std::any_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
  if (text.empty() || text.size() > kLongestName || control) {
    return fail(ErrorCode::invalid, what + " must be 1 to 64 bytes of text without control characters");
  }
  return {};
}

Result<Serial> random_serial(core::Random& random) {
  std::array<std::uint8_t, Serial::kMaxOctets> octets{};
  do {
    BIRTHMARK_CHECK(random.fill(octets));
    octets[0] &= 0x7FU;
  } while (std::all_of(octets.begin(), octets.end(), [](std::uint8_t octet) { return octet == 0; }));
  return Serial::from_magnitude(octets);
}

Instant years_later(Instant from, int years) {
  const auto day = std::chrono::floor<std::chrono::days>(from);
  const std::chrono::year_month_day date = std::chrono::year_month_day(day) + std::chrono::years(years);
  const std::chrono::sys_days later = date.ok() ? std::chrono::sys_days(date) : std::chrono::sys_days(date.year() / std::chrono::March / 1);
  return later + (from - day);
}

const EVP_MD* digest_for(const PrivateKey& key) {
  switch (key.default_scheme()) {
    case core::SignatureScheme::ecdsa_sha384: return EVP_sha384();
    case core::SignatureScheme::ecdsa_sha512: return EVP_sha512();
    case core::SignatureScheme::ecdsa_sha256:
    case core::SignatureScheme::rsa_pkcs1_sha256: break;
  }
  return EVP_sha256();
}

Result<Certificate> make_root_certificate(const PrivateKey& key, const std::string& factory, core::Random& random, Instant now) {
  BIRTHMARK_TRY(const X509NameHandle name, made_subject("Factory-CA", factory));
  const Validity validity{now, years_later(now, kRootYears)};
  BIRTHMARK_TRY(X509Handle certificate, begin_certificate(name.get(), name.get(), validity, key.public_half(), random));
  BIRTHMARK_CHECK(add_key_usage(certificate.get(), {key_cert_sign, crl_sign}));
  BIRTHMARK_CHECK(add_extended_key_usage(certificate.get(), {NID_server_auth, NID_client_auth}));
  BIRTHMARK_CHECK(add_ca_constraints(certificate.get(), PathLength::unlimited));
  BIRTHMARK_CHECK(add_subject_key_id(certificate.get()));
  return finish_certificate(std::move(certificate), key);
}

Result<Certificate> make_local_ca_certificate(const RootAuthority& root, const PrivateKey& key, const std::string& common_name,
                                              const std::string& factory, core::Random& random, Instant now) {
  BIRTHMARK_TRY(const X509NameHandle name, made_subject(common_name, factory));
  BIRTHMARK_TRY(const Validity validity, issued_validity(root.certificate, now));
  const X509_NAME* issuer = X509_get_subject_name(root.certificate.get());
  BIRTHMARK_TRY(X509Handle certificate, begin_certificate(name.get(), issuer, validity, key.public_half(), random));
  BIRTHMARK_CHECK(add_device_ca_extensions(certificate.get(), root.certificate));
  return finish_certificate(std::move(certificate), root.key);
}

Result<Certificate> make_gateway_ca_certificate(const RootAuthority& root, const PrivateKey& key, const std::string& factory,
                                                core::Random& random, Instant now) {
  constexpr std::size_t kLongestFactory = 60;  // the whole name has at most 64 bytes
  BIRTHMARK_TRY(const X509NameHandle name, made_subject("pep-" + factory.substr(0, kLongestFactory), factory));
  if (now >= root.certificate.not_after()) return fail(ErrorCode::misconfigured, "the root certificate has expired");
  const Validity validity{now, root.certificate.not_after()};
  const X509_NAME* issuer = X509_get_subject_name(root.certificate.get());
  BIRTHMARK_TRY(X509Handle certificate, begin_certificate(name.get(), issuer, validity, key.public_half(), random));
  BIRTHMARK_CHECK(add_device_ca_extensions(certificate.get(), root.certificate));
  return finish_certificate(std::move(certificate), root.key);
}

Result<Certificate> make_test_update_certificate(const PrivateKey& key, core::Random& random, Instant now) {
  BIRTHMARK_TRY(const X509NameHandle name, made_subject("TEST ONLY update authentication", "birthmark test"));
  const Validity validity{now, years_later(now, kRootYears)};
  BIRTHMARK_TRY(X509Handle certificate, begin_certificate(name.get(), name.get(), validity, key.public_half(), random));
  BIRTHMARK_CHECK(add_key_usage(certificate.get(), {digital_signature}));
  BIRTHMARK_CHECK(add_extended_key_usage(certificate.get(), {NID_client_auth, NID_code_sign}));
  BIRTHMARK_CHECK(add_subject_key_id(certificate.get()));
  return finish_certificate(std::move(certificate), key);
}

Result<Certificate> sign_device_ca(const RootAuthority& root, const CertificateRequest& request, core::Random& random, Instant now) {
  BIRTHMARK_TRY(const X509NameHandle name, rebuilt_subject(request));
  if (X509_NAME_entry_count(name.get()) == 0) return fail(ErrorCode::invalid, "a CA needs a subject, the request has none");
  BIRTHMARK_TRY(const Validity validity, issued_validity(root.certificate, now));
  const X509_NAME* issuer = X509_get_subject_name(root.certificate.get());
  if (X509_NAME_cmp(name.get(), issuer) == 0) return fail(ErrorCode::invalid, "the request asks for the root's own name");
  BIRTHMARK_TRY(X509Handle certificate, begin_certificate(name.get(), issuer, validity, X509_REQ_get0_pubkey(request.get()), random));
  BIRTHMARK_CHECK(add_device_ca_extensions(certificate.get(), root.certificate));
  return finish_certificate(std::move(certificate), root.key);
}

Result<Certificate> sign_tls_server(const RootAuthority& root, const CertificateRequest& request, NameCopying copying, core::Random& random,
                                    Instant now) {
  BIRTHMARK_TRY(const X509NameHandle name, rebuilt_subject(request));
  BIRTHMARK_TRY(const Validity validity, issued_validity(root.certificate, now));
  const X509_NAME* issuer = X509_get_subject_name(root.certificate.get());
  BIRTHMARK_TRY(X509Handle certificate, begin_certificate(name.get(), issuer, validity, X509_REQ_get0_pubkey(request.get()), random));
  BIRTHMARK_CHECK(add_key_usage(certificate.get(), {digital_signature}));
  BIRTHMARK_CHECK(add_extended_key_usage(certificate.get(), {NID_server_auth}));
  BIRTHMARK_CHECK(add_authority_key_id(certificate.get(), root.certificate));
  BIRTHMARK_CHECK(add_alternative_names(certificate.get(), request, copying));
  return finish_certificate(std::move(certificate), root.key);
}

namespace {

Result<Certificate> make_small_ca(const PrivateKey& key, const std::string& factory, const std::string& what, core::Random& random,
                                  Instant now) {
  constexpr std::size_t kLongestWhole = 64;
  BIRTHMARK_TRY(const X509NameHandle name, made_subject(factory.substr(0, kLongestWhole - what.size()) + what, factory));
  const Validity validity{now, years_later(now, kRootYears)};
  BIRTHMARK_TRY(X509Handle certificate, begin_certificate(name.get(), name.get(), validity, key.public_half(), random));
  BIRTHMARK_CHECK(add_key_usage(certificate.get(), {key_cert_sign}));
  BIRTHMARK_CHECK(add_ca_constraints(certificate.get(), PathLength::zero));
  BIRTHMARK_CHECK(add_subject_key_id(certificate.get()));
  return finish_certificate(std::move(certificate), key);
}

}  // namespace

Result<Certificate> make_holder_certificate(const RootAuthority& site, const CertificateRequest& request, const std::string& holder,
                                            const std::string& factory, Duration validity, core::Random& random, Instant now) {
  constexpr auto kBackdate = std::chrono::hours(1);  // for a station whose clock is slow
  if (now >= site.certificate.not_after()) return fail(ErrorCode::misconfigured, "this server's own CA (site-ca.pem) has expired");
  BIRTHMARK_TRY(const X509NameHandle name, made_subject(holder, factory));
  const Validity span{std::max(now - kBackdate, site.certificate.not_before()), std::min(now + validity, site.certificate.not_after())};
  const X509_NAME* issuer = X509_get_subject_name(site.certificate.get());
  BIRTHMARK_TRY(X509Handle certificate, begin_certificate(name.get(), issuer, span, X509_REQ_get0_pubkey(request.get()), random));
  BIRTHMARK_CHECK(add_key_usage(certificate.get(), {digital_signature}));
  BIRTHMARK_CHECK(add_extended_key_usage(certificate.get(), {NID_client_auth}));
  BIRTHMARK_CHECK(add_subject_key_id(certificate.get()));
  BIRTHMARK_CHECK(add_authority_key_id(certificate.get(), site.certificate));
  return finish_certificate(std::move(certificate), site.key);
}

Result<Certificate> make_site_ca_certificate(const PrivateKey& key, const std::string& factory, core::Random& random, Instant now) {
  return make_small_ca(key, factory, " stations", random, now);
}

Result<Certificate> make_eve_root_certificate(const PrivateKey& key, const std::string& factory, core::Random& random, Instant now) {
  return make_small_ca(key, factory, " EVE controller", random, now);
}

Result<Certificate> make_self_signed_server(const PrivateKey& key, const std::string& common_name, core::Random& random, Instant now,
                                            int years) {
  BIRTHMARK_CHECK(check_subject_text(common_name, "the common name"));
  const X509NameHandle name(X509_NAME_new());
  if (!name) return construction_failed();
  BIRTHMARK_CHECK(add_name_entry(name.get(), NID_commonName, V_ASN1_UTF8STRING, common_name, 0));
  const Validity validity{now, years_later(now, years)};
  BIRTHMARK_TRY(X509Handle certificate, begin_certificate(name.get(), name.get(), validity, key.public_half(), random));
  BIRTHMARK_CHECK(add_key_usage(certificate.get(), {digital_signature}));
  BIRTHMARK_CHECK(add_extended_key_usage(certificate.get(), {NID_server_auth}));
  BIRTHMARK_CHECK(add_subject_key_id(certificate.get()));
  return finish_certificate(std::move(certificate), key);
}

// Protocol facts, EVE 4.1.
Result<Certificate> make_eve_device_certificate(const PrivateKey& key, core::Random& random, Instant now) {
  const X509NameHandle name(X509_NAME_new());
  if (!name) return construction_failed();
  BIRTHMARK_CHECK(add_name_entry(name.get(), NID_organizationName, V_ASN1_UTF8STRING, "The Linux Foundation", 0));
  BIRTHMARK_CHECK(add_name_entry(name.get(), NID_commonName, V_ASN1_UTF8STRING, "EVE", 0));
  const Instant yesterday = now - std::chrono::hours(24);
  const Validity validity{yesterday, years_later(yesterday, kRootYears)};
  BIRTHMARK_TRY(X509Handle certificate, begin_certificate(name.get(), name.get(), validity, key.public_half(), random));
  BIRTHMARK_CHECK(add_key_usage(certificate.get(), {digital_signature, key_cert_sign}));
  BIRTHMARK_CHECK(add_extended_key_usage(certificate.get(), {NID_client_auth, NID_server_auth}));
  BIRTHMARK_CHECK(add_ca_constraints(certificate.get(), PathLength::unlimited));
  BIRTHMARK_CHECK(add_subject_key_id(certificate.get()));
  return finish_certificate(std::move(certificate), key);
}

}  // namespace birthmark::crypto
