// SPDX-License-Identifier: Apache-2.0
// What `serve` needs for the admin listener: its face, and TLS by this server's own small CA.
#pragma once

#include <memory>

#include "admin/metrics.h"
#include "app/site.h"
#include "net/http.h"
#include "net/tls_server.h"

namespace birthmark::app {

// DIR/admin.pem and DIR/keys/admin.key, made and signed by DIR/site-ca.pem when they are not there. Clients trust site-ca.pem.
[[nodiscard]] Result<net::TlsServerSettings> admin_tls_settings(Site& site);

[[nodiscard]] std::unique_ptr<net::Handler> make_admin_face(Site& site, const admin::Metrics& metrics);

}  // namespace birthmark::app
