// SPDX-License-Identifier: Apache-2.0
// The certificates that a root signs, to the letter of the profile table (protocol facts, Foundries 1.5), and the root itself.
// Called by the ceremony steps; decides nothing about names of files or about who may ask.
#pragma once

#include <string>

#include "base/ids.h"
#include "base/result.h"
#include "base/time.h"
#include "core/ports/clock.h"
#include "crypto/pki/certificate.h"
#include "crypto/private_key.h"

namespace birthmark::crypto {

// What every signature by a root needs.
struct RootAuthority {
  const Certificate& certificate;
  const PrivateKey& key;
};

// Which subject alternative names of a request are copied.
enum class NameCopying {
  dns_only,          // TLS certificates of the ceremony
  dns_email_ip_uri,  // `ca sign`
};

// 159 random bits, never zero: positive and at most 20 octets (RFC 5280 4.1.2.2).
[[nodiscard]] Result<Serial> random_serial(core::Random& random);

// Whether a text can stand in a subject that the ceremony makes: 1 to 64 bytes, no control characters. `what` begins the error.
[[nodiscard]] Status check_subject_text(const std::string& text, const std::string& what);

// The same calendar date `years` later; 29 February becomes 1 March.
[[nodiscard]] Instant years_later(Instant from, int years);

// CN=Factory-CA, OU=<factory>; 20 years.
[[nodiscard]] Result<Certificate> make_root_certificate(const PrivateKey& key, const std::string& factory, core::Random& random,
                                                        Instant now);

// CN=<common_name>, OU=<factory>; 10 years, never past the root.
[[nodiscard]] Result<Certificate> make_local_ca_certificate(const RootAuthority& root, const PrivateKey& key,
                                                            const std::string& common_name, const std::string& factory,
                                                            core::Random& random, Instant now);

// CN=pep-<factory>, OU=<factory>; ends with the root: it issues bootstrap certificates for Izuma gateways, which last ten years and more.
[[nodiscard]] Result<Certificate> make_gateway_ca_certificate(const RootAuthority& root, const PrivateKey& key, const std::string& factory,
                                                              core::Random& random, Instant now);

// A certificate to authenticate firmware updates with, self-signed, 20 years, clientAuth and codeSigning: for tests only, and called so.
[[nodiscard]] Result<Certificate> make_test_update_certificate(const PrivateKey& key, core::Random& random, Instant now);

// A device CA for a request's key and subject. Requested extensions are ignored.
[[nodiscard]] Result<Certificate> sign_device_ca(const RootAuthority& root, const CertificateRequest& request, core::Random& random,
                                                 Instant now);

// A TLS server certificate for a request's key, subject and names. Other requested extensions are ignored.
[[nodiscard]] Result<Certificate> sign_tls_server(const RootAuthority& root, const CertificateRequest& request, NameCopying copying,
                                                  core::Random& random, Instant now);

// CN="<factory> stations", OU=<factory>; self-signed, pathLen 0, 20 years: a server's own small CA, no part of the factory's PKI.
[[nodiscard]] Result<Certificate> make_site_ca_certificate(const PrivateKey& key, const std::string& factory, core::Random& random,
                                                           Instant now);

// CN=<holder>, OU=<factory>, for a request's key and nothing else of it: digitalSignature and clientAuth, signed by such a small CA. At
// most until that ends.
[[nodiscard]] Result<Certificate> make_holder_certificate(const RootAuthority& site, const CertificateRequest& request,
                                                          const std::string& holder, const std::string& factory, Duration validity,
                                                          core::Random& random, Instant now);
// CN="<factory> EVE controller", OU=<factory>; self-signed, 20 years: what the EVE nodes of a factory believe their controller by.
[[nodiscard]] Result<Certificate> make_eve_root_certificate(const PrivateKey& key, const std::string& factory, core::Random& random,
                                                            Instant now);

// CN=<common_name>; self-signed, CA:FALSE, digitalSignature, serverAuth: the shape of EVE's onboarding certificates.
[[nodiscard]] Result<Certificate> make_self_signed_server(const PrivateKey& key, const std::string& common_name, core::Random& random,
                                                          Instant now, int years);

// CN=EVE, O=The Linux Foundation; self-signed, CA:TRUE, 20 years from yesterday: the shape of the certificates that EVE nodes make.
[[nodiscard]] Result<Certificate> make_eve_device_certificate(const PrivateKey& key, core::Random& random, Instant now);

// The digest that goes with a signing key: SHA-384 for P-384, SHA-512 for P-521, else SHA-256.
[[nodiscard]] const EVP_MD* digest_for(const PrivateKey& key);

}  // namespace birthmark::crypto
