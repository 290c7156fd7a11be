// SPDX-License-Identifier: Apache-2.0
#include "crypto/certificate_reader.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "crypto/der_reader.h"
#include "crypto/der_time.h"
#include "crypto/digest.h"
#include "crypto/name_reader.h"
#include "crypto/object_identifiers.h"

namespace birthmark::crypto {
namespace {

using core::CertificateFacts;
using core::KeyAlgorithm;
using Fault = std::string_view;  // empty: none

constexpr std::size_t kMaximumExtensions = 64;

enum class Version { v1, v2, v3 };

Fault read_version(der::Reader& reader, Version& version) {
  const auto tagged = reader.read(der::context_constructed(0));
  if (!tagged) return {};  // DEFAULT v1
  const auto number = der::read_single(tagged->contents, der::kInteger);
  if (!number || number->contents.size() != 1 || number->contents[0] > 2) return "its version is unknown";
  version = static_cast<Version>(number->contents[0]);
  return {};
}

Fault read_validity(const der::Value& validity, CertificateFacts& facts) {
  der::Reader reader(validity.contents);
  const auto not_before = reader.read_any();
  const auto not_after = reader.read_any();
  if (!not_before || !not_after || !reader.at_end()) return "its validity is not two times";
  const auto from = read_time(*not_before);
  const auto until = read_time(*not_after);
  if (!from || !until) return "its validity has a malformed time";
  facts.not_before = *from;
  facts.not_after = *until;
  return {};
}

KeyAlgorithm curve_of(ByteView curve) {
  if (equal(curve, oid::kCurveP256)) return KeyAlgorithm::ec_p256;
  if (equal(curve, oid::kCurveP384)) return KeyAlgorithm::ec_p384;
  if (equal(curve, oid::kCurveP521)) return KeyAlgorithm::ec_p521;
  return KeyAlgorithm::other;
}

Fault read_key(const der::Value& spki, CertificateFacts& facts) {
  der::Reader reader(spki.contents);
  const auto algorithm = reader.read(der::kSequence);
  const auto key = reader.read(der::kBitString);
  if (!algorithm || !key || !reader.at_end()) return "its public key is not a SubjectPublicKeyInfo";
  if (!der::whole_octets(*key)) return "its public key has unused bits";
  der::Reader parts(algorithm->contents);
  const auto type = parts.read(der::kObjectIdentifier);
  if (!type) return "its public key has no algorithm";
  if (equal(type->contents, oid::kRsaEncryption)) facts.key_algorithm = KeyAlgorithm::rsa;
  if (equal(type->contents, oid::kEcPublicKey)) {
    const auto curve = parts.read(der::kObjectIdentifier);
    if (curve && parts.at_end()) facts.key_algorithm = curve_of(curve->contents);
  }
  facts.spki_der = to_bytes(spki.whole);
  facts.spki_sha256 = SpkiHash{sha256(spki.whole).octets};
  return {};
}

// --- the extensions that become facts: contents of extnValue, RFC 5280 4.2.1
// ---------------------------------------------------------------

Fault read_basic_constraints(ByteView octets, CertificateFacts& facts) {
  constexpr Fault kMalformed = "its basicConstraints is malformed";
  const auto sequence = der::read_single(octets, der::kSequence);
  if (!sequence) return kMalformed;
  der::Reader reader(sequence->contents);
  if (const auto is_ca = reader.read(der::kBoolean)) facts.is_ca = is_ca->contents[0] != 0;
  if (const auto length = reader.read(der::kInteger)) {
    int number = 0;
    if (length->contents.size() > 3 || length->contents[0] >= 0x80) return kMalformed;
    for (const std::uint8_t octet : length->contents) number = number << 8 | octet;
    facts.path_length = number;
  }
  return reader.at_end() ? Fault() : kMalformed;
}

Fault read_key_usage(ByteView octets, CertificateFacts& facts) {
  const auto bits = der::read_single(octets, der::kBitString);
  if (!bits || bits->contents.size() > 3) return "its keyUsage is malformed";
  std::uint16_t usage = 0;
  for (std::size_t octet = 1; octet < bits->contents.size(); ++octet)
    for (unsigned bit = 0; bit < 8; ++bit)
      if ((bits->contents[octet] & (0x80U >> bit)) != 0) usage = static_cast<std::uint16_t>(usage | 1U << (8 * (octet - 1) + bit));
  facts.key_usage = usage;
  return {};
}

Fault read_extended_key_usage(ByteView octets, CertificateFacts& facts) {
  constexpr Fault kMalformed = "its extendedKeyUsage is malformed";
  const auto sequence = der::read_single(octets, der::kSequence);
  if (!sequence || sequence->contents.empty()) return kMalformed;
  der::Reader reader(sequence->contents);
  while (!reader.at_end()) {
    const auto purpose = reader.read(der::kObjectIdentifier);
    if (!purpose) return kMalformed;
    facts.has_extended_key_usage = true;
    facts.client_auth = facts.client_auth || equal(purpose->contents, oid::kClientAuth);
    facts.server_auth = facts.server_auth || equal(purpose->contents, oid::kServerAuth);
  }
  return {};
}

Fault read_subject_key_identifier(ByteView octets, CertificateFacts& facts) {
  const auto identifier = der::read_single(octets, der::kOctetString);
  if (!identifier || identifier->contents.empty()) return "its subjectKeyIdentifier is malformed";
  facts.subject_key_id = to_bytes(identifier->contents);
  return {};
}

// AuthorityKeyIdentifier ::= SEQUENCE { keyIdentifier [0], authorityCertIssuer [1], authorityCertSerialNumber [2] }, all optional.
Fault read_authority_key_identifier(ByteView octets, CertificateFacts& facts) {
  constexpr Fault kMalformed = "its authorityKeyIdentifier is malformed";
  const auto sequence = der::read_single(octets, der::kSequence);
  if (!sequence) return kMalformed;
  der::Reader reader(sequence->contents);
  if (const auto identifier = reader.read(der::context_primitive(0))) facts.authority_key_id = to_bytes(identifier->contents);
  const bool has_issuer = reader.read(der::context_constructed(1)).has_value();
  const bool has_serial = reader.read(der::context_primitive(2)).has_value();
  return reader.at_end() && has_issuer == has_serial ? Fault() : kMalformed;
}

struct KnownExtension {
  ByteView type;
  Fault (*read)(ByteView octets, CertificateFacts& facts);
};
constexpr std::array<KnownExtension, 5> kKnownExtensions = {{
    {oid::kBasicConstraints, read_basic_constraints},
    {oid::kKeyUsage, read_key_usage},
    {oid::kExtendedKeyUsage, read_extended_key_usage},
    {oid::kSubjectKeyIdentifier, read_subject_key_identifier},
    {oid::kAuthorityKeyIdentifier, read_authority_key_identifier},
}};

Fault read_extension_value(ByteView type, ByteView octets, CertificateFacts& facts) {
  for (const KnownExtension& known : kKnownExtensions) {
    if (!equal(type, known.type)) continue;
    if (der::find_fault(octets)) return "one of its extensions is not DER";
    return known.read(octets, facts);
  }
  return {};
}

Fault read_extensions(ByteView contents, CertificateFacts& facts) {
  const auto sequence = der::read_single(contents, der::kSequence);
  if (!sequence || sequence->contents.empty()) return "its extensions are malformed";
  std::array<ByteView, kMaximumExtensions> seen;
  std::size_t count = 0;
  der::Reader reader(sequence->contents);
  while (!reader.at_end()) {
    const auto extension = reader.read(der::kSequence);
    if (!extension) return "its extensions are malformed";
    der::Reader parts(extension->contents);
    const auto type = parts.read(der::kObjectIdentifier);
    if (parts.next_is(der::kBoolean)) static_cast<void>(parts.read_any());  // critical: who verifies the chain judges it
    const auto value = parts.read(der::kOctetString);
    if (!type || !value || !parts.at_end()) return "its extensions are malformed";
    const auto seen_end = seen.begin() + static_cast<std::ptrdiff_t>(count);
    if (std::any_of(seen.begin(), seen_end, [&](ByteView earlier) { return equal(earlier, type->contents); }))
      return "it has an extension twice";  // RFC 5280 4.2
    if (count == seen.size()) return "it has too many extensions";
    seen[count++] = type->contents;
    if (const Fault fault = read_extension_value(type->contents, value->contents, facts); !fault.empty()) return fault;
  }
  return {};
}

// What follows the public key: unique identifiers since v2, extensions since v3 (RFC 5280 4.1).
Fault read_tail(der::Reader& reader, Version version, CertificateFacts& facts) {
  const bool has_issuer_id = reader.read(der::context_primitive(1)).has_value();
  const bool has_subject_id = reader.read(der::context_primitive(2)).has_value();
  if ((has_issuer_id || has_subject_id) && version == Version::v1) return "it has unique identifiers, which its version does not allow";
  if (const auto extensions = reader.read(der::context_constructed(3))) {
    if (version != Version::v3) return "it has extensions, which its version does not allow";
    if (const Fault fault = read_extensions(extensions->contents, facts); !fault.empty()) return fault;
  }
  return reader.at_end() ? Fault() : Fault("something unknown follows its extensions");
}

Fault read_to_be_signed(ByteView contents, ByteView outer_algorithm, CertificateFacts& facts) {
  der::Reader reader(contents);
  Version version = Version::v1;
  if (const Fault fault = read_version(reader, version); !fault.empty()) return fault;
  const auto serial = reader.read(der::kInteger);
  const auto algorithm = reader.read(der::kSequence);
  const auto issuer = reader.read(der::kSequence);
  const auto validity = reader.read(der::kSequence);
  const auto subject = reader.read(der::kSequence);
  const auto spki = reader.read(der::kSequence);
  if (!serial || !algorithm || !issuer || !validity || !subject || !spki) return "one of its fields is missing";
  if (!equal(algorithm->whole, outer_algorithm)) return "its two signature algorithms differ";  // RFC 5280 4.1.1.2
  facts.serial = to_bytes(serial->contents);
  facts.issuer_der = to_bytes(issuer->whole);
  facts.subject_der = to_bytes(subject->whole);
  const NameReading name = read_certificate_name(subject->contents, facts.subject);
  if (name.outcome != NameOutcome::read) return name.fault;
  if (const Fault fault = read_validity(*validity, facts); !fault.empty()) return fault;
  if (const Fault fault = read_key(*spki, facts); !fault.empty()) return fault;
  return read_tail(reader, version, facts);
}

Fault read_whole(ByteView der, CertificateFacts& facts) {
  if (der::has_trailing_bytes(der)) return "bytes follow it";
  if (const auto fault = der::find_fault(der)) return *fault;
  const auto certificate = der::read_single(der, der::kSequence);
  if (!certificate) return "it is not a SEQUENCE";
  der::Reader reader(certificate->contents);
  const auto to_be_signed = reader.read(der::kSequence);
  const auto algorithm = reader.read(der::kSequence);
  const auto signature = reader.read(der::kBitString);
  if (!to_be_signed || !algorithm || !signature || !reader.at_end()) return "it is not made of contents, algorithm and signature";
  if (!der::whole_octets(*signature)) return "its signature has unused bits";
  return read_to_be_signed(to_be_signed->contents, algorithm->whole, facts);
}

}  // namespace

Result<CertificateFacts> read_certificate(ByteView der) {
  CertificateFacts facts;
  if (const Fault fault = read_whole(der, facts); !fault.empty())
    return fail(ErrorCode::invalid, "The certificate is malformed: " + std::string(fault) + ".");
  facts.fingerprint = Fingerprint{sha256(der).octets};
  return facts;
}

}  // namespace birthmark::crypto
