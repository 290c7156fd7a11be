// SPDX-License-Identifier: Apache-2.0
// What a certificate must say for its holder to be a device of the factory at the gateway (protocol facts, gateway 2.2 and 2.3). Pure:
// looks at the certificate and the trust, never at the registry.
#pragma once

#include <optional>
#include <string_view>
#include <variant>

#include "core/certificate.h"
#include "core/enrollment.h"
#include "core/identity.h"
#include "core/ports/certificate_verifier.h"
#include "core/trust_store.h"

namespace birthmark::core {

enum class GatewayProfile : std::uint8_t {
  vendor,  // every shape that devices in the field have, CA:TRUE included: nothing such a certificate signs is ever believed
  strict,  // keyUsage digitalSignature, extendedKeyUsage clientAuth, no CA
};
[[nodiscard]] std::optional<GatewayProfile> parse_gateway_profile(std::string_view name);

// Which devices nobody registered here are made on their first contact.
enum class AutoCreate : std::uint8_t {
  on,
  registered_only,  // those that the registry has known before (taken off the deny list)
  off,
};
[[nodiscard]] std::optional<AutoCreate> parse_auto_create(std::string_view name);

struct GatewayRules {
  GatewayProfile profile = GatewayProfile::vendor;
  AutoCreate auto_create = AutoCreate::on;
  DeviceIdRule device_id = DeviceIdRule::safe;
  bool allow_rsa = false;
};

// What a peer showed; the TLS listener has verified that an authority, or the root, signed it and that its dates are good.
struct PresentedCertificate {
  ByteView der;
  Fingerprint fingerprint;
  RowId issuer = 0;  // which device CA signed it
  bool under_root = false;
};

// The same for a certificate that came otherwise than over TLS.
[[nodiscard]] PresentedCertificate present(ByteView der, const Fingerprint& fingerprint, const TrustSnapshot& trust,
                                           const CertificateVerifier& verifier);

struct DeviceClaim {
  DeviceIdentity identity;
  bool production = false;
  const DeviceAuthority* issuer = nullptr;  // in the snapshot that was handed in
};

[[nodiscard]] std::variant<DeviceClaim, Refusal> judge_device_certificate(const PresentedCertificate& presented,
                                                                          const CertificateFacts& facts, const TrustSnapshot& trust,
                                                                          const GatewayRules& rules);

}  // namespace birthmark::core
