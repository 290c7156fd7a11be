// SPDX-License-Identifier: Apache-2.0
// Names of the registry's stored states.
#include "core/ports/registry.h"

#include "core/ports/gateways.h"

namespace birthmark::core {

std::string_view to_string(DeviceStatus status) {
  switch (status) {
    case DeviceStatus::active: return "active";
    case DeviceStatus::denied: return "denied";
    case DeviceStatus::released: return "released";
  }
  return "unknown";
}

std::string_view to_string(AuthorityRole role) {
  switch (role) {
    case AuthorityRole::root: return "root";
    case AuthorityRole::device_ca: return "device-ca";
    case AuthorityRole::tls_server: return "tls";
    case AuthorityRole::est_server: return "est";
    case AuthorityRole::gateway_ca: return "gateway-ca";
  }
  return "unknown";
}

std::string_view to_string(GatewayState state) {
  switch (state) {
    case GatewayState::issued: return "issued";
    case GatewayState::provisioned: return "provisioned";
    case GatewayState::superseded: return "superseded";
  }
  return "unknown";
}

std::string_view to_string(AuthorityState state) {
  switch (state) {
    case AuthorityState::active: return "active";
    case AuthorityState::disabled: return "disabled";
    case AuthorityState::revoked: return "revoked";
    case AuthorityState::replaced: return "replaced";
  }
  return "unknown";
}

}  // namespace birthmark::core
