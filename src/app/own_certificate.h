// SPDX-License-Identifier: Apache-2.0
// The certificate of a listener that has one of its own: DIR/NAME.pem with DIR/keys/NAME.key. An operator may put his own there; otherwise
// both are made, signed by the server's small CA (DIR/site-ca.pem).
#pragma once

#include <string>
#include <vector>

#include "app/site.h"
#include "net/tls_server.h"

namespace birthmark::app {

// `names`: DNS names beside localhost and this machine's, for a certificate that has to be made.
[[nodiscard]] Result<net::TlsServerSettings> own_tls_settings(Site& site, const std::string& name, const std::vector<std::string>& names);

}  // namespace birthmark::app
