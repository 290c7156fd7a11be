// SPDX-License-Identifier: Apache-2.0
#include "crypto/csr_builder.h"

#include <arpa/inet.h>

#include <algorithm>

#include "base/pem.h"
#include "base/text.h"
#include "crypto/der_writer.h"
#include "crypto/object_identifiers.h"
#include "crypto/signature_schemes.h"

namespace birthmark::crypto {
namespace {

constexpr std::array<std::uint8_t, 3> kVersion1 = {der::kInteger, 1, 0};  // RFC 2986 4.1: v1(0)
constexpr std::array<std::uint8_t, 3> kTrue = {der::kBoolean, 1, 0xff};
constexpr std::array<std::uint8_t, 4> kDigitalSignature = {der::kBitString, 2, 7, 0x80};

Status append_attribute(Bytes& name, ByteView type, std::string_view text) {
  if (text.empty()) return {};
  if (!is_utf8(text) || text.find('\0') != std::string_view::npos)
    return fail(ErrorCode::invalid, "A subject attribute must be UTF-8 text without NUL.");
  const Bytes oid = der::value(der::kObjectIdentifier, {type});
  const Bytes utf8 = der::value(der::kUtf8String, {as_bytes(text)});
  der::append_value(name, der::kSet, {der::value(der::kSequence, {oid, utf8})});
  return {};
}

Result<Bytes> encode_subject(const CsrSubject& subject) {
  if (subject.common_name.empty()) return fail(ErrorCode::invalid, "A certificate request needs a common name.");
  Bytes attributes;
  BIRTHMARK_CHECK(append_attribute(attributes, oid::kCommonName, subject.common_name));
  BIRTHMARK_CHECK(append_attribute(attributes, oid::kOrganizationalUnit, subject.organizational_unit));
  BIRTHMARK_CHECK(append_attribute(attributes, oid::kBusinessCategory, subject.production ? "production" : ""));
  return der::value(der::kSequence, {attributes});
}

void append_extension(Bytes& extensions, ByteView type, ByteView critical, ByteView contents) {
  const Bytes oid = der::value(der::kObjectIdentifier, {type});
  der::append_value(extensions, der::kSequence, {oid, critical, der::value(der::kOctetString, {contents})});
}

// RFC 5280 4.2.1.6: four octets, or sixteen.
Result<Bytes> encode_address(const std::string& text) {
  for (const auto& [family, size] : {std::pair{AF_INET, std::size_t{4}}, {AF_INET6, std::size_t{16}}}) {
    Bytes octets(size);
    if (::inet_pton(family, text.c_str(), octets.data()) == 1) return octets;
  }
  return fail(ErrorCode::invalid, "'" + text + "' is not an IP address.");
}

Result<Bytes> encode_alternative_names(const CsrSubject& subject) {
  Bytes names;
  for (const std::string& name : subject.dns_names) {
    const bool printable = std::all_of(name.begin(), name.end(), [](char c) { return c > ' ' && c < 0x7f; });
    if (name.empty() || !printable) return fail(ErrorCode::invalid, "A DNS name must be printable ASCII.");
    der::append_value(names, der::context_primitive(2), {as_bytes(name)});
  }
  for (const std::string& address : subject.ip_addresses) {
    BIRTHMARK_TRY(const Bytes octets, encode_address(address));
    der::append_value(names, der::context_primitive(7), {octets});
  }
  return der::value(der::kSequence, {names});
}

// Attributes ::= [0] IMPLICIT SET OF; empty, not absent, when nothing is asked for (RFC 2986 4.1).
Result<Bytes> encode_attributes(const CsrSubject& subject) {
  Bytes extensions;
  if (subject.device_extensions) {
    const Bytes client_auth = der::value(der::kSequence, {der::value(der::kObjectIdentifier, {oid::kClientAuth})});
    append_extension(extensions, oid::kKeyUsage, kTrue, kDigitalSignature);
    append_extension(extensions, oid::kExtendedKeyUsage, kTrue, client_auth);
  }
  if (!subject.dns_names.empty() || !subject.ip_addresses.empty()) {
    BIRTHMARK_TRY(const Bytes names, encode_alternative_names(subject));
    append_extension(extensions, oid::kSubjectAltName, {}, names);
  }
  if (extensions.empty()) return der::value(der::context_constructed(0), {});
  const Bytes type = der::value(der::kObjectIdentifier, {oid::kExtensionRequest});
  const Bytes values = der::value(der::kSet, {der::value(der::kSequence, {extensions})});
  return der::value(der::context_constructed(0), {der::value(der::kSequence, {type, values})});
}

}  // namespace

Result<std::string> make_csr_pem(const PrivateKey& key, const CsrSubject& subject) {
  BIRTHMARK_TRY(const Bytes name, encode_subject(subject));
  BIRTHMARK_TRY(const Bytes spki, key.spki_der());
  BIRTHMARK_TRY(const Bytes attributes, encode_attributes(subject));
  const Bytes to_be_signed = der::value(der::kSequence, {kVersion1, name, spki, attributes});
  BIRTHMARK_TRY(const Bytes signature, key.sign(key.default_scheme(), to_be_signed));
  Bytes bits;
  der::append_bit_string(bits, signature);
  const ByteView algorithm = facts_of(key.default_scheme()).algorithm_identifier;
  return encode_pem("CERTIFICATE REQUEST", der::value(der::kSequence, {to_be_signed, algorithm, bits}));
}

}  // namespace birthmark::crypto
