// SPDX-License-Identifier: Apache-2.0
// [api] of birthmark.toml: the factory API's listener.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/time.h"
#include "core/network.h"
#include "net/server.h"

namespace birthmark::app {

enum class ApiTls : std::uint8_t {
  automatic,  // plain on loopback, otherwise as `own`
  own,        // api.pem and keys/api.key: signed by the server's own small CA unless the operator put others there
  gateway,    // the factory's TLS server certificate
};

struct ApiConfig {
  std::vector<net::Endpoint> listen;  // empty: no such listener
  ApiTls tls = ApiTls::automatic;
  bool insecure = false;                              // plain everywhere
  std::vector<std::string> names;                     // DNS names of its own certificate, beside localhost and this machine's
  std::string user_id;                                // of the factory's owner; empty: the factory's name
  std::string est_dns;                                // the EST server's name in requests for its certificate; empty: the gateway's
  std::string public_url;                             // where people find it, for devices to show; empty: where they found it themselves
  std::vector<core::Network> proxies;                 // whose X-Forwarded-For is believed
  Duration code_lifetime = std::chrono::minutes(15);  // of a device that waits for approval
  Duration poll_interval = std::chrono::seconds(5);   // of such a device's questions
};

}  // namespace birthmark::app
