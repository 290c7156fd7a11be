// SPDX-License-Identifier: Apache-2.0
#include "crypto/pki/describe.h"

#include <openssl/core_names.h>

#include <array>
#include <cstdio>

#include "base/text.h"

namespace birthmark::crypto {
namespace {

constexpr std::size_t kKeyBytesPerLine = 15;

using BasicConstraintsHandle = std::unique_ptr<BASIC_CONSTRAINTS, Freer<BASIC_CONSTRAINTS_free>>;
using ExtendedKeyUsageHandle = std::unique_ptr<EXTENDED_KEY_USAGE, Freer<EXTENDED_KEY_USAGE_free>>;
using AuthorityKeyIdHandle = std::unique_ptr<AUTHORITY_KEYID, Freer<AUTHORITY_KEYID_free>>;
using GeneralNamesHandle = std::unique_ptr<GENERAL_NAMES, Freer<GENERAL_NAMES_free>>;
using BitStringHandle = std::unique_ptr<ASN1_BIT_STRING, Freer<ASN1_BIT_STRING_free>>;
using OctetStringHandle = std::unique_ptr<ASN1_OCTET_STRING, Freer<ASN1_OCTET_STRING_free>>;

template <class Handle>
Handle decoded(X509_EXTENSION* extension) {
  Handle value(static_cast<typename Handle::pointer>(X509V3_EXT_d2i(extension)));
  if (!value) ERR_clear_error();
  return value;
}

// "2026-11-20 14:23:42 +0000 UTC"
std::string time_text(Instant at) {
  std::string text = format_rfc3339(at);
  text.pop_back();
  text[10] = ' ';
  return text + " +0000 UTC";
}

std::string signature_algorithm_text(int nid) {
  switch (nid) {
    case NID_ecdsa_with_SHA256: return "ECDSA-SHA256";
    case NID_ecdsa_with_SHA384: return "ECDSA-SHA384";
    case NID_ecdsa_with_SHA512: return "ECDSA-SHA512";
    case NID_sha256WithRSAEncryption: return "SHA256-RSA";
    case NID_sha384WithRSAEncryption: return "SHA384-RSA";
    case NID_sha512WithRSAEncryption: return "SHA512-RSA";
    case NID_ED25519: return "Ed25519";
    default: break;
  }
  const char* name = OBJ_nid2ln(nid);
  return name == nullptr ? "unknown" : name;
}

std::string curve_text(EVP_PKEY* key) {
  std::array<char, 64> group{};
  if (EVP_PKEY_get_group_name(key, group.data(), group.size(), nullptr) != 1) return "unknown";
  const char* nist = EC_curve_nid2nist(OBJ_txt2nid(group.data()));
  return nist == nullptr ? group.data() : nist;
}

Bytes uncompressed_point(EVP_PKEY* key) {
  std::size_t size = 0;
  if (EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, nullptr, 0, &size) != 1) return {};
  Bytes point(size);
  if (EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size(), &size) != 1) return {};
  return point;
}

std::string key_text(EVP_PKEY* key) {
  if (EVP_PKEY_is_a(key, "EC") != 1)
    return "\t\t" + std::to_string(EVP_PKEY_get_bits(key)) + " bit " + OBJ_nid2sn(EVP_PKEY_get_base_id(key)) + "\n";
  std::string text = "\t\tNIST CURVE: " + curve_text(key) + "\n\t\t\t";
  const Bytes point = uncompressed_point(key);
  for (std::size_t i = 0; i < point.size(); ++i) {
    text += to_hex({&point[i], 1}) + ":";
    if ((i + 1) % kKeyBytesPerLine == 0) text += "\n\t\t\t";
  }
  return text + "\n";
}

std::string key_usage_text(X509_EXTENSION* extension) {
  constexpr std::array<const char*, 9> kNames{"digitalSignature", "nonRepudiation", "keyEncipherment", "dataEncipherment", "keyAgreement",
                                              "keyCertSign",      "cRLSign",        "encipherOnly",    "decipherOnly"};
  const auto usage = decoded<BitStringHandle>(extension);
  std::string text = "\t\t\t ";
  for (std::size_t bit = 0; usage && bit < kNames.size(); ++bit) {
    if (ASN1_BIT_STRING_get_bit(usage.get(), static_cast<int>(bit)) == 1) text += std::string(kNames.at(bit)) + " ";
  }
  return text + "\n";
}

std::string extended_key_usage_text(X509_EXTENSION* extension) {
  const auto usages = decoded<ExtendedKeyUsageHandle>(extension);
  std::string text = "\t\t\t ";
  for (int i = 0; usages && i < sk_ASN1_OBJECT_num(usages.get()); ++i) {
    const ASN1_OBJECT* usage = sk_ASN1_OBJECT_value(usages.get(), i);
    const int nid = OBJ_obj2nid(usage);
    std::array<char, 80> dotted{};
    OBJ_obj2txt(dotted.data(), static_cast<int>(dotted.size()), usage, 1);
    if (nid == NID_server_auth)
      text += "ServerAuth ";
    else if (nid == NID_client_auth)
      text += "ClientAuth ";
    else
      text += "Unknown(" + std::string(dotted.data()) + ") ";
  }
  return text + "\n";
}

std::string constraints_text(X509_EXTENSION* extension) {
  const auto constraints = decoded<BasicConstraintsHandle>(extension);
  if (!constraints || constraints->ca == 0) return "\t\t\tCA:FALSE\n";
  const std::string length = constraints->pathlen == nullptr ? "-1" : integer_decimal(constraints->pathlen);
  return "\t\t\tCA:TRUE MaxPath  " + length + "\n";
}

std::string octets_text(const ASN1_OCTET_STRING* octets) {
  if (octets == nullptr) return "\t\t\t \n";
  const ByteView view{ASN1_STRING_get0_data(octets), static_cast<std::size_t>(ASN1_STRING_length(octets))};
  return "\t\t\t " + to_hex(view) + "\n";
}

std::string address_text(ByteView octets) {
  std::string text;
  if (octets.size() == 4) {
    for (const std::uint8_t octet : octets) text += (text.empty() ? "" : ".") + std::to_string(octet);
    return text;
  }
  for (std::size_t i = 0; i + 1 < octets.size(); i += 2) text += (text.empty() ? "" : ":") + to_hex(octets.subspan(i, 2));
  return text;
}

// Names are IA5 text by the standard; what is not printable ASCII is shown as '?'.
std::string harmless(ByteView octets) {
  std::string text(as_text(octets));
  for (char& c : text) {
    if (c < 0x20 || c > 0x7e) c = '?';
  }
  return text;
}

std::string alternative_name_text(const GENERAL_NAME* name) {
  int type = 0;
  const void* value = GENERAL_NAME_get0_value(name, &type);
  if (type != GEN_DNS && type != GEN_IPADD && type != GEN_URI && type != GEN_EMAIL) return "\t\t\tanother kind of name\n";
  const auto* string = static_cast<const ASN1_STRING*>(value);
  const ByteView octets{ASN1_STRING_get0_data(string), static_cast<std::size_t>(ASN1_STRING_length(string))};
  if (type == GEN_IPADD) return "\t\t\tIP: " + address_text(octets) + "\n";
  const char* label = type == GEN_DNS ? "DNS: " : type == GEN_URI ? "URI: " : "Email: ";
  return std::string("\t\t\t") + label + harmless(octets) + "\n";
}

std::string alternative_names_text(X509_EXTENSION* extension) {
  const auto names = decoded<GeneralNamesHandle>(extension);
  std::string text;
  for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()); ++i) text += alternative_name_text(sk_GENERAL_NAME_value(names.get(), i));
  return text;
}

std::string authority_key_id_text(X509_EXTENSION* extension) {
  const auto authority = decoded<AuthorityKeyIdHandle>(extension);
  return octets_text(authority ? authority->keyid : nullptr);
}

std::string extension_text(X509_EXTENSION* extension) {
  const ASN1_OBJECT* object = X509_EXTENSION_get_object(extension);
  const std::string critical = X509_EXTENSION_get_critical(extension) != 0 ? "(critical)" : "";
  switch (OBJ_obj2nid(object)) {
    case NID_key_usage: return "\t\tx509v3 Key Usage: " + critical + "\n" + key_usage_text(extension);
    case NID_ext_key_usage: return "\t\tx509v3 Extended Key Usage: " + critical + "\n" + extended_key_usage_text(extension);
    case NID_basic_constraints: return "\t\tx509v3 Basic Constraints: " + critical + "\n" + constraints_text(extension);
    case NID_subject_key_identifier:
      return "\t\tx509v3 Subject Key Id: " + critical + "\n" + octets_text(decoded<OctetStringHandle>(extension).get());
    case NID_authority_key_identifier: return "\t\tx509v3 Authority Key Id: " + critical + "\n" + authority_key_id_text(extension);
    case NID_subject_alt_name: return "\t\tx509v3 Subject Name Alternative: " + critical + "\n" + alternative_names_text(extension);
    default: break;
  }
  std::array<char, 80> dotted{};
  OBJ_obj2txt(dotted.data(), static_cast<int>(dotted.size()), object, 1);
  return "\t\tUnknown OID " + std::string(dotted.data()) + "\n";
}

std::string reason_text(int reason) {
  switch (verdict_of(reason)) {
    case CaVerdict::disable: return "Disable - " + std::to_string(reason);
    case CaVerdict::enable: return "Enable - " + std::to_string(reason);
    case CaVerdict::revoke: break;
  }
  return "Revoke - " + std::to_string(reason);
}

std::string signature_text(const X509_CRL* crl) {
  const ASN1_BIT_STRING* signature = nullptr;
  X509_CRL_get0_signature(crl, &signature, nullptr);
  return to_hex({ASN1_STRING_get0_data(signature), static_cast<std::size_t>(ASN1_STRING_length(signature))});
}

}  // namespace

std::string describe_certificate(const Certificate& certificate) {
  const X509* x509 = certificate.get();
  std::string text = "Certificate:\n";
  text += "\tVersion: " + std::to_string(X509_get_version(x509) + 1) + "\n";
  text += "\tSerial Number: " + certificate.serial_decimal() + "\n";
  text += "\tSignature Algorithm: " + signature_algorithm_text(X509_get_signature_nid(x509)) + "\n";
  text += "\tIssuer: " + certificate.issuer_text() + "\n";
  text += "\tValidity\n";
  text += "\t\tNot Before: " + time_text(certificate.not_before()) + "\n";
  text += "\t\tNot After: " + time_text(certificate.not_after()) + "\n";
  text += "\tSubject: " + certificate.subject_text() + "\n";
  text += "\tSubject Public Key Info\n" + key_text(X509_get0_pubkey(x509));
  text += std::string("\tIs CA: ") + (certificate.is_ca() ? "true" : "false") + "\n";
  text += "\tExtensions:\n";
  for (int i = 0; i < X509_get_ext_count(x509); ++i) text += extension_text(X509_get_ext(x509, i));
  return text;
}

std::string describe_crl(const Crl& crl) {
  std::string text = "Certificate Revocation List:\n";
  text += "\tIssuer: " + name_text(X509_CRL_get_issuer(crl.get())) + "\n";
  text += "\tValidity:\n";
  text += "\t\tNot Before: " + time_text(crl.this_update()) + "\n";
  text += "\t\tNot After: " + (crl.next_update() ? time_text(*crl.next_update()) : "not stated") + "\n";
  text += "\tSignature Algorithm: " + signature_algorithm_text(X509_CRL_get_signature_nid(crl.get())) + "\n";
  text += "\tSignature: " + signature_text(crl.get()) + "\n";
  text += "\tRevoked Certificates:\n";
  for (const CrlEntry& entry : crl.entries()) {
    text += "\t\tSerial: " + entry.serial_decimal + "\n";
    text += "\t\t\tRevocation Date: " + time_text(crl.this_update()) + "\n";
    text += "\t\t\tExtensions:\n\t\t\t\tx509v3 Reason Code:\n\t\t\t\t\t " + reason_text(entry.reason) + "\n";
  }
  text += "\tExtensions:\n";
  for (int i = 0; i < X509_CRL_get_ext_count(crl.get()); ++i) {
    X509_EXTENSION* extension = X509_CRL_get_ext(crl.get(), i);
    if (OBJ_obj2nid(X509_EXTENSION_get_object(extension)) != NID_crl_number) {
      text += extension_text(extension);
      continue;
    }
    const auto number = decoded<Asn1IntegerHandle>(extension);
    text += "\t\tx509v3 CRL Number: \n\t\t\t " + (number ? integer_decimal(number.get()) : "?") + "\n";
  }
  return text;
}

}  // namespace birthmark::crypto
