// SPDX-License-Identifier: Apache-2.0
// The certificates of an EVE controller: a root of their own, below it TLS, signing and ECDH. Certificate and key of each stand in one
// file, so that no crash and no reader ever sees halves that do not fit.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/result.h"
#include "core/ports/clock.h"
#include "crypto/pki/certificate.h"
#include "crypto/private_key.h"

namespace birthmark::crypto {

// In the PKI owner's directory.
inline constexpr const char* kEveRootFile = "eve-root.pem";
inline constexpr const char* kEveRootKeyFile = "eve-root.key";
// In the server's directory.
inline constexpr const char* kEveRootCopy = "eve-root.pem";
inline constexpr const char* kEveTlsBundle = "keys/eve-tls.pem";
inline constexpr const char* kEveSigningBundle = "keys/eve-signing.pem";
inline constexpr const char* kEveEcdhBundle = "keys/eve-ecdh.pem";
inline constexpr const char* kEveNextSigningBundle = "keys/eve-signing-next.pem";  // published, not yet signing

struct KeyBundle {
  Certificate certificate;
  PrivateKey key;
};

// An error names the file; the key must be the certificate's.
[[nodiscard]] Result<KeyBundle> load_key_bundle(const std::filesystem::path& path);
[[nodiscard]] Result<std::string> encode_key_bundle(const Certificate& certificate, const PrivateKey& key);

struct EveCeremony {
  core::Random& random;
  Instant now;
  std::string factory;
  std::filesystem::path pki;     // where the root is, or goes
  std::filesystem::path server;  // the server's directory
};

// Makes whatever of root and bundles is not there; TLS is for these DNS names and addresses. Interrupted, it is simply run again.
[[nodiscard]] Status make_eve_controller(const EveCeremony& ceremony, const std::vector<std::string>& names);

// A further TLS certificate for these names takes the old one's place.
[[nodiscard]] Status renew_eve_tls(const EveCeremony& ceremony, const std::vector<std::string>& names);
// Rotation, one after the other with time for every node to come by in between: a new signing pair is published; it signs; ECDH.
[[nodiscard]] Status publish_next_eve_signing(const EveCeremony& ceremony);
[[nodiscard]] Status sign_with_next_eve_signing(const std::filesystem::path& server);
[[nodiscard]] Status renew_eve_ecdh(const EveCeremony& ceremony);

struct SelfSigned {
  std::string certificate_pem;
  std::string key_pem;  // SEC1
};
// An onboarding certificate as EVE's own tools make it (protocol facts, EVE 4.1): self-signed P-256, CA:FALSE, serverAuth.
[[nodiscard]] Result<SelfSigned> make_onboarding_certificate(const std::string& common_name, core::Random& random, Instant now, int years);

}  // namespace birthmark::crypto
