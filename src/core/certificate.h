// SPDX-License-Identifier: Apache-2.0
// What a CSR says, what a certificate will say, and the permit without which nothing is signed.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/time.h"

namespace birthmark::core {

enum class KeyAlgorithm : std::uint8_t { ec_p256, ec_p384, ec_p521, rsa, other };
[[nodiscard]] std::string_view to_string(KeyAlgorithm algorithm);

// How a message is signed. Sizes and algorithm identifiers belong to the codec's table of schemes.
enum class SignatureScheme : std::uint8_t { ecdsa_sha256, ecdsa_sha384, ecdsa_sha512, rsa_pkcs1_sha256 };

// One AttributeTypeAndValue of a Name, RFC 5280 4.1.2.4. Attributes are found by type, never by position or string type.
enum class NameAttributeType : std::uint8_t { common_name, organizational_unit, business_category, other };
struct NameAttribute {
  NameAttributeType type = NameAttributeType::other;
  Bytes oid;          // contents octets of the OBJECT IDENTIFIER
  std::string value;  // UTF-8, whatever string type it had
};

// What a certificate request says, after its own signature was verified (proof of possession, RFC 2986).
struct CsrFacts {
  Bytes subject_der;  // the whole Name as sent
  std::vector<NameAttribute> subject;
  Bytes spki_der;  // SubjectPublicKeyInfo as sent
  SpkiHash spki_sha256;
  KeyAlgorithm key_algorithm = KeyAlgorithm::other;
  unsigned key_bits = 0;

  // The values of every attribute of that type, in order.
  [[nodiscard]] std::vector<std::string_view> values(NameAttributeType type) const;
};

// Names of certificate shapes; the codec knows their extensions.
enum class CertificateProfile : std::uint8_t {
  // A device's TLS client certificate (protocol facts, Foundries 4.4): keyUsage critical {digitalSignature}, extendedKeyUsage critical
  // {clientAuth}, subjectKeyIdentifier, authorityKeyIdentifier copied from the issuer's subjectKeyIdentifier. No basicConstraints.
  device_client,
};

// Everything that will stand in the certificate, decided before anything is signed.
struct CertificatePlan {
  CertificateProfile profile = CertificateProfile::device_client;
  Serial serial;
  Bytes issuer_subject_der;
  Bytes issuer_key_id;  // goes into authorityKeyIdentifier
  Bytes subject_der;
  Bytes spki_der;
  SpkiHash spki_sha256;
  Instant not_before;  // whole seconds
  Instant not_after;   // whole seconds, never after the issuer's
  SignatureScheme scheme = SignatureScheme::ecdsa_sha256;
};

// The facts of a certificate that somebody made, read strictly. Used to compare what was signed with its plan, and for CAs.
struct CertificateFacts {
  Bytes serial;  // contents octets of the INTEGER, as sent: may be 21 octets or negative in foreign certificates
  Bytes issuer_der;
  Bytes subject_der;
  std::vector<NameAttribute> subject;
  Bytes spki_der;
  SpkiHash spki_sha256;
  KeyAlgorithm key_algorithm = KeyAlgorithm::other;
  Instant not_before;
  Instant not_after;
  bool is_ca = false;
  std::optional<int> path_length;
  std::optional<std::uint16_t> key_usage;  // bit 0 = digitalSignature, 5 = keyCertSign, 6 = cRLSign (RFC 5280 4.2.1.3)
  bool has_extended_key_usage = false;
  bool client_auth = false;  // extendedKeyUsage has id-kp-clientAuth
  bool server_auth = false;
  Bytes subject_key_id;    // empty when absent
  Bytes authority_key_id;  // empty when absent
  Fingerprint fingerprint;

  [[nodiscard]] std::vector<std::string_view> values(NameAttributeType type) const;
};

struct IssuedCertificate {
  Bytes der;
  Fingerprint fingerprint;
};

// The right to sign one plan, once. Only the Linter makes them (linter.h), only an Issuer spends them.
class SigningPermit {
 public:
  SigningPermit(SigningPermit&&) noexcept = default;
  SigningPermit& operator=(SigningPermit&&) noexcept = default;
  SigningPermit(const SigningPermit&) = delete;
  SigningPermit& operator=(const SigningPermit&) = delete;

  [[nodiscard]] const CertificatePlan& plan() const { return plan_; }

 private:
  friend class Linter;
  explicit SigningPermit(CertificatePlan plan) : plan_(std::move(plan)) {}
  CertificatePlan plan_;
};

}  // namespace birthmark::core
