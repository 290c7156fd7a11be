// SPDX-License-Identifier: Apache-2.0
// The factory API's face: who may call it, what answers there, behind which TLS.
#include <algorithm>

#include "app/face.h"
#include "app/fleet_api.h"
#include "app/own_certificate.h"
#include "app/pki_desk.h"
#include "base/log.h"
#include "crypto/pki/certificate.h"
#include "faces/factory_api/certs_resource.h"
#include "faces/factory_api/device_creation_resource.h"
#include "faces/factory_api/factory_api_face.h"
#include "faces/factory_api/openapi.h"
#include "net/api_docs.h"

namespace birthmark::app {
namespace {

namespace api = faces::factory_api;

constexpr std::size_t kBodyBytes = 1U << 20U;  // each route has its own limit below this

// Everything that the resources work with, and the face over them.
class ApiHandler final : public net::Handler {
 public:
  explicit ApiHandler(Site& site)
      : site_(site),
        fleet_(site),
        keys_(site.directory() / "keys"),
        pki_(pki_parts()),
        face_(site.factory(), site.clock(), authenticators(), resources(), fleet_.failure_counter()),
        docs_({"Birthmark factory API", std::string(api::openapi_document()), "/openapi.json", "/docs/"}) {}
  Task<net::Response> handle(const net::Request& request) override {
    if (auto document = docs_.answer(request)) co_return std::move(*document);
    co_return co_await face_.handle(request);
  }

 private:
  crypto::PkiKeeper::Parts pki_parts() {
    const Config& config = site_.config();
    const std::string est = config.api.est_dns.empty() ? config.gateway_dns : config.api.est_dns;
    return {site_.registry(),
            site_.codec(),
            site_.clock(),
            keys_,
            [this] { return site_.held_keys(); },
            [this] { return site_.reload(); },
            site_.factory(),
            {config.gateway_dns, config.ostree_dns, est},
            [this](std::string_view user_id) { return fleet_.users().knows(user_id); }};
  }

  // The ways to say who one is, in the order in which they are tried.
  std::vector<std::unique_ptr<api::Authenticator>> authenticators() {
    std::vector<std::unique_ptr<api::Authenticator>> all;
    fleet_.append_authenticators(all);
    return all;
  }

  // The list of resources.
  std::vector<std::unique_ptr<api::Resource>> resources() {
    const Config& config = site_.config();
    std::vector<std::unique_ptr<api::Resource>> all;
    all.push_back(std::make_unique<api::CertsResource>(pki_, site_.factory()));
    all.push_back(std::make_unique<api::DeviceCreationResource>(api::DeviceCreationResource::Parts{
        site_.online_enroller(), site_.device_gate(), site_.registry(), signatures_, {config.gateway_server(), config.ostree_server()}}));
    fleet_.append_resources(all);
    return all;
  }

  Site& site_;
  FleetApi fleet_;
  crypto::CertificateSignatures signatures_;
  crypto::KeyShelf keys_;
  PkiDesk pki_;
  api::FactoryApiFace face_;
  const net::ApiDocs docs_;
};

std::vector<net::Endpoint> configured(const Config& config) {
  return config.api.listen;
}

bool is_loopback(const net::Endpoint& endpoint) {
  const std::string& host = endpoint.host;
  return host == "localhost" || host == "::1" || host.starts_with("127.");
}

bool plain_at(const Site& site, const net::Endpoint& endpoint) {
  const ApiConfig& api = site.config().api;
  return api.insecure || (api.tls == ApiTls::automatic && is_loopback(endpoint));
}

Result<std::optional<net::TlsServerSettings>> tls(Site& site) {
  const ApiConfig& api = site.config().api;
  if (api.tls == ApiTls::gateway) return factory_tls_settings(site, "api");
  return own_tls_settings(site, "api", api.names);
}

Result<std::unique_ptr<net::Handler>> make(Site& site, const FaceServices&) {
  return std::make_unique<ApiHandler>(site);
}

void warn(Site& site, const std::string& listener) {
  if (site.config().api.insecure) log::warning("tokens cross this listener in the clear (api.insecure)", {{"listener", listener}});
  const auto tokens = site.tokens().tokens();
  const bool any = tokens && std::any_of(tokens->begin(), tokens->end(), [](const core::TokenRecord& token) { return !token.revoked_at; });
  if (!any) log::warning("nobody can use the factory API yet: make a token with `birthmark token create --scope ...`");
}

}  // namespace

Face api_face() {
  return {"api", configured, tls, make, kBodyBytes, warn, plain_at};
}

}  // namespace birthmark::app
