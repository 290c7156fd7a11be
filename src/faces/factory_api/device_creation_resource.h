// SPDX-License-Identifier: Apache-2.0
// POST and PUT /ota/devices/: a device is registered under the online CA, or one with a certificate of its own is made known (protocol
// facts, Foundries 2.2). Translates; core::Enroller and core::DeviceGate decide.
#pragma once

#include <string>
#include <vector>

#include "core/device_gate.h"
#include "core/enroller.h"
#include "core/ports/certificate_verifier.h"
#include "faces/factory_api/resource.h"

namespace birthmark::faces::factory_api {

// What devices are told (sota.toml).
struct DeviceServers {
  std::string gateway;  // "https://gw.example:8443"
  std::string ostree;
};

class DeviceCreationResource final : public Resource {
 public:
  struct Parts {
    core::Enroller& enroller;  // signs with the online CA
    core::DeviceGate& gate;
    core::Registry& registry;
    const core::CertificateVerifier& verifier;
    DeviceServers servers;
  };
  explicit DeviceCreationResource(Parts parts) : parts_(std::move(parts)) {}

  [[nodiscard]] std::vector<Route> routes() override;

 private:
  [[nodiscard]] Task<net::Response> create(const Call& call);
  [[nodiscard]] Task<net::Response> introduce(const Call& call);
  [[nodiscard]] net::Response render(const core::Enrolled& enrolled, const std::string& sota_toml) const;

  const Parts parts_;
};

}  // namespace birthmark::faces::factory_api
