// SPDX-License-Identifier: Apache-2.0
// The device gateway, mTLS by the device CAs, with EST beside it.
#include <algorithm>

#include "app/face.h"
#include "crypto/certificate_bundle.h"
#include "crypto/ecies.h"
#include "crypto/pki/certificate.h"
#include "faces/est/est_face.h"
#include "faces/gateway/gateway_face.h"

namespace birthmark::app {
namespace {

constexpr std::size_t kBodyBytes = 4U << 20U;  // each path has its own limit below this

std::vector<net::Endpoint> configured(const Config& config) {
  return config.gateway_listen;
}

// Every device CA ever trusted, whatever its state: the gateway answers with the reason (protocol facts, gateway 2.3). Never the root.
Result<std::optional<net::TlsServerSettings>> tls(Site& site) {
  BIRTHMARK_TRY(auto settings, factory_tls_settings(site, "gateway"));
  const auto trust = site.trust();
  // EST under a name of its own: who asks for that name gets its certificate, the paths are the same.
  if (trust->est_server) {
    BIRTHMARK_TRY(auto est, factory_tls_identity(site, trust->est_server->der));
    BIRTHMARK_TRY(const auto certificate, crypto::Certificate::from_der(trust->est_server->der));
    BIRTHMARK_TRY(const auto gateway, crypto::Certificate::from_der(trust->tls_server->der));
    const auto gateway_names = gateway.dns_names();
    for (const std::string& name : certificate.dns_names()) {
      if (std::find(gateway_names.begin(), gateway_names.end(), name) == gateway_names.end()) est.names.push_back(name);
    }
    if (!est.names.empty()) settings.identities.push_back(std::move(est));
  }
  settings.client_certificate = net::ClientCertificate::optional;
  settings.tickets = site.config().gateway_tickets;
  if (settings.identities.front().private_key && settings.tickets == 0) settings.tickets = 1;  // a resumption spares the token a signature
  for (const core::DeviceAuthority& authority : trust->device_authorities)
    settings.anchors.push_back({authority.record.der, authority.record.row});
  if (trust->root) settings.known_roots.push_back(trust->root->der);
  return settings;
}

faces::gateway::GatewaySettings settings_of(const Site& site) {
  const Config& config = site.config();
  const auto below = [&](const std::filesystem::path& path) { return path.empty() ? path : site.directory() / path; };
  faces::gateway::GatewaySettings settings;
  settings.repository = below(config.gateway_repository);
  settings.ostree = below(config.gateway_ostree);
  settings.app_proxy_url = config.app_proxy_url;
  return settings;
}

// The gateway with EST under its /.well-known/est.
class GatewayWithEst final : public net::Handler {
 public:
  explicit GatewayWithEst(Site& site)
      : est_(site.device_gate(), site.renewer(), site.trust_store(), site.clock(), crypto::encode_certificate_bundle),
        gateway_(
            {site.device_gate(), site.trust_store(), site.field(), site.contacts(), site.codec(), site.clock(), crypto::encrypt_for_device},
            settings_of(site), &est_) {}
  Task<net::Response> handle(const net::Request& request) override { return gateway_.handle(request); }

 private:
  faces::est::EstFace est_;
  faces::gateway::GatewayFace gateway_;
};

Result<std::unique_ptr<net::Handler>> make(Site& site, const FaceServices&) {
  return std::make_unique<GatewayWithEst>(site);
}

}  // namespace

Face gateway_face() {
  return {"gateway", configured, tls, make, kBodyBytes};
}

}  // namespace birthmark::app
