// SPDX-License-Identifier: Apache-2.0
// Certificates and certificate requests of the factory's PKI, read with the OpenSSL API: what the PKI tool and the judging of trust
// changes ask about them. Not for the hot path, and never for devices' requests (that is x509_codec).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"
#include "base/time.h"
#include "core/ports/certificate_verifier.h"
#include "crypto/openssl.h"

namespace birthmark::crypto {

class Certificate {
 public:
  // The whole of `der`, in the one encoding that DER allows; anything after it is refused.
  [[nodiscard]] static Result<Certificate> from_der(ByteView der);
  // The one CERTIFICATE of `text`; prose around it is skipped. not_found when there is none, invalid when there are several.
  [[nodiscard]] static Result<Certificate> from_pem(std::string_view text);

  [[nodiscard]] const Bytes& der() const { return der_; }
  [[nodiscard]] std::string pem() const;
  [[nodiscard]] X509* get() const { return x509_.get(); }

  [[nodiscard]] Fingerprint fingerprint() const;
  [[nodiscard]] SpkiHash spki_sha256() const;
  [[nodiscard]] Bytes subject_der() const;
  [[nodiscard]] std::string subject_text() const;  // "CN=Factory-CA,OU=acme"
  [[nodiscard]] std::string issuer_text() const;
  [[nodiscard]] std::vector<std::string> common_names() const;
  [[nodiscard]] std::vector<std::string> organizational_units() const;
  // Base 10, as fioctl and its API write serials; foreign ones may need 21 octets (protocol facts, Foundries 1.5).
  [[nodiscard]] std::string serial_decimal() const;
  // Of a certificate whose serial keeps to RFC 5280 4.1.2.2, as ours do.
  [[nodiscard]] Result<Serial> serial() const;
  [[nodiscard]] Instant not_before() const;
  [[nodiscard]] Instant not_after() const;
  [[nodiscard]] bool is_ca() const;  // basicConstraints CA:TRUE, critical or not
  [[nodiscard]] bool has_server_auth() const;
  [[nodiscard]] std::vector<std::string> dns_names() const;  // of subjectAltName, in order
  // The subjectKeyIdentifier; the SHA-1 of the key (RFC 5280 4.2.1.2 method 1) where there is none.
  [[nodiscard]] Bytes key_identifier() const;

  // Issuer name and signature fit. Usage bits are not asked: old roots lack some of them (protocol facts, Foundries 1.5).
  [[nodiscard]] bool is_signed_by(const Certificate& issuer) const;
  [[nodiscard]] bool is_self_signed() const { return is_signed_by(*this); }

  bool operator==(const Certificate& other) const { return der_ == other.der_; }

 private:
  Certificate(X509Handle x509, Bytes der) : x509_(std::move(x509)), der_(std::move(der)) {}
  X509Handle x509_;
  Bytes der_;
};

// A certificate request whose own signature was verified and whose key is a sound one.
class CertificateRequest {
 public:
  // Exactly one request block; text before it and blank lines after it are accepted.
  [[nodiscard]] static Result<CertificateRequest> from_pem(std::string_view text);

  [[nodiscard]] X509_REQ* get() const { return request_.get(); }
  [[nodiscard]] SpkiHash spki_sha256() const;
  [[nodiscard]] std::vector<std::string> organizational_units() const;
  [[nodiscard]] bool asks_for_ca() const { return asks_for_ca_; }

 private:
  CertificateRequest(X509ReqHandle request, bool asks_for_ca) : request_(std::move(request)), asks_for_ca_(asks_for_ca) {}
  X509ReqHandle request_;
  bool asks_for_ca_ = false;
};

// The core's port, by this reader.
class CertificateSignatures final : public core::CertificateVerifier {
 public:
  [[nodiscard]] bool is_signed_by(ByteView certificate, ByteView issuer) const override;
};

// What the files of this folder share.
[[nodiscard]] std::string name_text(const X509_NAME* name);
[[nodiscard]] std::vector<std::string> name_values(const X509_NAME* name, int nid);
[[nodiscard]] std::string integer_decimal(const ASN1_INTEGER* number);
[[nodiscard]] Instant to_instant(const ASN1_TIME* time);
[[nodiscard]] Asn1TimeHandle to_asn1_time(Instant at);

}  // namespace birthmark::crypto
