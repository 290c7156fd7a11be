// SPDX-License-Identifier: Apache-2.0
// What an Izuma Edge gateway's enrollment is to be remembered with, beside its identity and certificate.
#pragma once

#include <string>

namespace birthmark::core {

struct GatewayDraft {
  std::string fields;            // the members of its identity document that the request gave, as JSON text in the order given
  std::string verification_key;  // of its sealed journal; a secret; empty: none
  std::string target;            // "10.0.0.7:7777": where it was provisioned
};

}  // namespace birthmark::core
