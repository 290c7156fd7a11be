// SPDX-License-Identifier: Apache-2.0
// [api] of birthmark.toml: the factory API's listener.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

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
  bool insecure = false;           // plain everywhere
  std::vector<std::string> names;  // DNS names of its own certificate, beside localhost and this machine's
  std::string user_id;             // of the factory's owner; empty: the factory's name
  std::string est_dns;             // the EST server's name in requests for its certificate; empty: the gateway's
};

}  // namespace birthmark::app
