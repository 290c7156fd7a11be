// SPDX-License-Identifier: Apache-2.0
#include "crypto/csr_reader.h"

#include <array>

#include "crypto/der_reader.h"
#include "crypto/name_reader.h"
#include "crypto/object_identifiers.h"
#include "crypto/signature_schemes.h"

namespace birthmark::crypto {
namespace {

constexpr std::uint8_t kUncompressed = 0x04;

struct NamedCurve {
  ByteView oid;
  core::KeyAlgorithm algorithm;
  std::size_t point_size;  // uncompressed, SEC1 2.3.3
};
constexpr std::array<NamedCurve, 3> kCurves = {{
    {oid::kCurveP256, core::KeyAlgorithm::ec_p256, 65},
    {oid::kCurveP384, core::KeyAlgorithm::ec_p384, 97},
    {oid::kCurveP521, core::KeyAlgorithm::ec_p521, 133},
}};

// The parts of a request, cut but not yet understood.
struct Skeleton {
  der::Value to_be_signed;
  der::Value version;
  der::Value subject;
  der::Value spki;
  der::Value attributes;  // without tag when absent: some old software leaves the empty SET out
  der::Value signature_algorithm;
  der::Value signature;
};

// The fault, or empty.
std::string_view cut_information(der::Reader reader, Skeleton& skeleton) {
  const auto version = reader.read(der::kInteger);
  const auto subject = reader.read(der::kSequence);
  const auto spki = reader.read(der::kSequence);
  if (!version || !subject || !spki) return "version, subject or public key is missing";
  skeleton.version = *version;
  skeleton.subject = *subject;
  skeleton.spki = *spki;
  if (const auto attributes = reader.read(der::context_constructed(0))) skeleton.attributes = *attributes;
  return reader.at_end() ? std::string_view() : "something unknown follows its attributes";
}

std::string_view cut(ByteView input, Skeleton& skeleton) {
  const auto request = der::read_single(input, der::kSequence);
  if (!request) return "it is not a SEQUENCE";
  der::Reader reader(request->contents);
  const auto to_be_signed = reader.read(der::kSequence);
  const auto algorithm = reader.read(der::kSequence);
  const auto signature = reader.read(der::kBitString);
  if (!to_be_signed || !algorithm || !signature || !reader.at_end()) return "it is not made of information, algorithm and signature";
  skeleton.to_be_signed = *to_be_signed;
  skeleton.signature_algorithm = *algorithm;
  skeleton.signature = *signature;
  return cut_information(der::Reader(to_be_signed->contents), skeleton);
}

// Attribute ::= SEQUENCE { type OBJECT IDENTIFIER, values SET OF ANY } (RFC 2986 4.1). What they ask for is ignored: profiles decide.
bool attributes_are_well_formed(ByteView contents) {
  if (!der::members_ascend(contents)) return false;
  der::Reader reader(contents);
  while (!reader.at_end()) {
    const auto attribute = reader.read(der::kSequence);
    if (!attribute) return false;
    der::Reader parts(attribute->contents);
    const auto type = parts.read(der::kObjectIdentifier);
    const auto values = parts.read(der::kSet);
    if (!type || !values || !parts.at_end() || values->contents.empty() || !der::members_ascend(values->contents)) return false;
    if (!equal(type->contents, oid::kExtensionRequest)) continue;
    if (!der::read_single(values->contents, der::kSequence)) return false;
  }
  return true;
}

struct KeyReading {
  std::string_view fault{};
  core::KeyAlgorithm algorithm = core::KeyAlgorithm::other;
  ByteView point{};
};

std::string_view point_fault(ByteView point) {
  if (point.empty()) return "its public key is empty";
  if (point[0] == 0x00) return "its public key is the point at infinity";
  if (point[0] == 0x02 || point[0] == 0x03) return "its public key is a compressed point; send it uncompressed";
  if (point[0] != kUncompressed) return "its public key is not an uncompressed point";
  return {};
}

// ECParameters must be a namedCurve (RFC 5480 2.1.1); what is not on a curve of ours is left to others.
KeyReading read_ec_key(der::Reader parameters, ByteView point) {
  const auto curve_oid = parameters.read(der::kObjectIdentifier);
  if (!curve_oid || !parameters.at_end()) return {"its public key is not on a named curve"};
  if (const std::string_view fault = point_fault(point); !fault.empty()) return {fault};
  for (const NamedCurve& curve : kCurves) {
    if (!equal(curve_oid->contents, curve.oid)) continue;
    if (point.size() != curve.point_size) return {"its public key has the wrong size for its curve"};
    return {{}, curve.algorithm, point};
  }
  return {};
}

KeyReading read_key(ByteView spki_contents) {
  der::Reader reader(spki_contents);
  const auto algorithm = reader.read(der::kSequence);
  const auto key = reader.read(der::kBitString);
  if (!algorithm || !key || !reader.at_end()) return {"its public key is not a SubjectPublicKeyInfo"};
  const auto octets = der::whole_octets(*key);
  if (!octets) return {"its public key has unused bits"};

  der::Reader parts(algorithm->contents);
  const auto type = parts.read(der::kObjectIdentifier);
  if (!type) return {"its public key has no algorithm"};
  if (equal(type->contents, oid::kEcPublicKey)) return read_ec_key(parts, *octets);
  return {{}, equal(type->contents, oid::kRsaEncryption) ? core::KeyAlgorithm::rsa : core::KeyAlgorithm::other, {}};
}

// ECDSA-Sig-Value ::= SEQUENCE { r INTEGER, s INTEGER } (RFC 3279 2.2.3), both positive.
bool is_ecdsa_signature(ByteView octets) {
  if (der::find_fault(octets)) return false;
  const auto sequence = der::read_single(octets, der::kSequence);
  if (!sequence) return false;
  der::Reader reader(sequence->contents);
  const auto r = reader.read(der::kInteger);
  const auto s = reader.read(der::kInteger);
  return r && s && reader.at_end() && r->contents[0] < 0x80 && s->contents[0] < 0x80;
}

}  // namespace

CsrReading read_csr(ByteView der) {
  if (der::has_trailing_bytes(der)) return Malformed{"bytes follow it"};
  if (const auto fault = der::find_fault(der)) return Malformed{*fault};
  Skeleton parts;
  if (const std::string_view fault = cut(der, parts); !fault.empty()) return Malformed{fault};
  if (parts.version.contents.size() != 1 || parts.version.contents[0] != 0) return Malformed{"its version is not 1 (coded as 0)"};
  if (!attributes_are_well_formed(parts.attributes.contents)) return Malformed{"its attributes are not PKCS#10 attributes"};
  const KeyReading key = read_key(parts.spki.contents);
  if (!key.fault.empty()) return Malformed{key.fault};
  const auto signature = der::whole_octets(parts.signature);
  if (!signature) return Malformed{"its signature has unused bits"};

  CsrView view{parts.to_be_signed.whole, parts.subject.whole, parts.spki.whole, key.point, *signature, {}};
  const NameReading name = read_request_name(parts.subject.contents, view.attributes);
  if (name.outcome == NameOutcome::malformed) return Malformed{name.fault};

  const ByteView ecdsa_sha256 = facts_of(core::SignatureScheme::ecdsa_sha256).algorithm_identifier;
  const bool usual_key = key.algorithm == core::KeyAlgorithm::ec_p256 && equal(parts.signature_algorithm.whole, ecdsa_sha256);
  if (name.outcome == NameOutcome::other_strings || !usual_key) return OtherShape{key.algorithm};
  if (!is_ecdsa_signature(*signature)) return Malformed{"its signature is not an ECDSA signature"};
  return view;
}

}  // namespace birthmark::crypto
