// SPDX-License-Identifier: Apache-2.0
#include "crypto/certificate_template.h"

#include "crypto/der_reader.h"
#include "crypto/der_time.h"
#include "crypto/der_writer.h"
#include "crypto/digest.h"
#include "crypto/object_identifiers.h"
#include "crypto/signature_schemes.h"

namespace birthmark::crypto {
namespace {

constexpr auto kVersion3 = oid::octets(0xa0, 0x03, der::kInteger, 0x01, 0x02);

// keyUsage critical {digitalSignature} and extendedKeyUsage critical {clientAuth}: what a device's gateway and EST server ask for
// (protocol facts, Foundries 4.4 and 0.12). Constant, so they are written down whole.
constexpr auto kDeviceUsages = oid::octets(
    // Extension { id-ce-keyUsage, TRUE, BIT STRING '1'B }
    0x30, 0x0e, 0x06, 0x03, 0x55, 0x1d, 0x0f, 0x01, 0x01, 0xff, 0x04, 0x04, 0x03, 0x02, 0x07, 0x80,
    // Extension { id-ce-extKeyUsage, TRUE, SEQUENCE { id-kp-clientAuth } }
    0x30, 0x16, 0x06, 0x03, 0x55, 0x1d, 0x25, 0x01, 0x01, 0xff, 0x04, 0x0c, 0x30, 0x0a, 0x06, 0x08, 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07,
    0x03, 0x02);

void append_extension(Bytes& extensions, ByteView type, ByteView value) {
  const Bytes oid = der::value(der::kObjectIdentifier, {type});
  const Bytes octets = der::value(der::kOctetString, {value});
  der::append_value(extensions, der::kSequence, {oid, octets});
}

// [3] EXPLICIT Extensions. The authorityKeyIdentifier is the issuer's own, never computed here.
Result<Bytes> encode_extensions(const core::CertificatePlan& plan) {
  BIRTHMARK_TRY(const Bytes key_id, key_identifier(plan.spki_der));
  if (plan.issuer_key_id.empty()) return fail(ErrorCode::internal, "The certificate cannot be encoded.", "the plan has no issuer key id");
  Bytes extensions;
  extensions.reserve(128 + plan.issuer_key_id.size());
  append(extensions, kDeviceUsages);
  append_extension(extensions, oid::kSubjectKeyIdentifier, der::value(der::kOctetString, {key_id}));
  const Bytes authority = der::value(der::context_primitive(0), {plan.issuer_key_id});
  append_extension(extensions, oid::kAuthorityKeyIdentifier, der::value(der::kSequence, {authority}));
  return der::value(der::context_constructed(3), {der::value(der::kSequence, {extensions})});
}

Result<Bytes> encode_validity(const core::CertificatePlan& plan) {
  Bytes times;
  times.reserve(64);
  if (!append_time(times, plan.not_before) || !append_time(times, plan.not_after))
    return fail(ErrorCode::internal, "The certificate cannot be encoded.", "the plan's validity is not in whole seconds of 1950 to 9999");
  return der::value(der::kSequence, {times});
}

bool is_one_sequence(ByteView der) {
  return der::read_single(der, der::kSequence).has_value();
}

}  // namespace

Result<Bytes> key_identifier(ByteView spki_der) {
  const auto spki = der::read_single(spki_der, der::kSequence);
  der::Reader reader(spki ? spki->contents : ByteView());
  const auto algorithm = reader.read(der::kSequence);
  const auto key = reader.read(der::kBitString);
  const auto octets = key ? der::whole_octets(*key) : std::nullopt;
  if (!algorithm || !octets || !reader.at_end()) return fail(ErrorCode::invalid, "The public key is not a SubjectPublicKeyInfo.");
  return to_bytes(sha1(*octets));
}

Result<Bytes> encode_to_be_signed(const core::CertificatePlan& plan) {
  BIRTHMARK_ASSERT(plan.profile == core::CertificateProfile::device_client);
  if (plan.serial.magnitude().empty()) return fail(ErrorCode::internal, "The certificate cannot be encoded.", "the plan has no serial");
  if (!is_one_sequence(plan.issuer_subject_der) || !is_one_sequence(plan.subject_der))
    return fail(ErrorCode::internal, "The certificate cannot be encoded.", "the plan's subject or issuer is not a Name");
  BIRTHMARK_TRY(const Bytes validity, encode_validity(plan));
  BIRTHMARK_TRY(const Bytes extensions, encode_extensions(plan));
  const Bytes serial = der::value(der::kInteger, {plan.serial.der_contents()});
  return der::value(der::kSequence, {kVersion3, serial, facts_of(plan.scheme).algorithm_identifier, plan.issuer_subject_der, validity,
                                     plan.subject_der, plan.spki_der, extensions});
}

Bytes assemble_certificate(ByteView to_be_signed, core::SignatureScheme scheme, ByteView signature) {
  Bytes bits;
  der::append_bit_string(bits, signature);
  return der::value(der::kSequence, {to_be_signed, facts_of(scheme).algorithm_identifier, bits});
}

}  // namespace birthmark::crypto
