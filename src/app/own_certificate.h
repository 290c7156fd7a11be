// SPDX-License-Identifier: Apache-2.0
// The TLS of a listener that has a certificate of its own: DIR/NAME.pem with DIR/keys/NAME.key. Made by this server's own CA when there is
// none; an operator may put others in their place. Its clients may show certificates by that CA.
#pragma once

#include <string>
#include <vector>

#include "app/site.h"
#include "net/tls_server.h"

namespace birthmark::app {

// `names`: DNS names and addresses of the certificate, beside localhost and this machine's name.
[[nodiscard]] Result<net::TlsServerSettings> own_tls_settings(Site& site, const std::string& name, const std::vector<std::string>& names);

// Stations and operators may show the certificates that this server's own CA gave them; who shows none is served too, and told so.
[[nodiscard]] Status ask_holders(Site& site, net::TlsServerSettings& settings);

}  // namespace birthmark::app
