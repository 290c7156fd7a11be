// SPDX-License-Identifier: Apache-2.0
// The listener for EVE nodes: its TLS, its face, and what it must warn of.
#include "app/face.h"
#include "base/log.h"
#include "crypto/pki/eve_controller.h"
#include "faces/eve/adam_admin.h"
#include "faces/eve/eve_face.h"

namespace birthmark::app {
namespace {

constexpr std::size_t kBodyBytes = 4U << 20U;  // each path has its own limit below this

std::vector<net::Endpoint> configured(const Config& config) {
  return config.eve.listen;
}

tl::unexpected<Error> no_controller(const Site& site) {
  return fail(ErrorCode::misconfigured, "the eve listener has no certificates: birthmark onboard controller-pki --dir " +
                                            site.directory().string() + " --pki PKI_DIR --name HOST");
}

// Nodes are known by the exact bytes of their certificates, which are their own making: any is let through the handshake, dates and usages
// included (protocol facts, EVE 4.1). One ticket: EVE opens a connection for each request (DECISIONS.md, TLS).
Result<std::optional<net::TlsServerSettings>> tls(Site& site) {
  auto bundle = crypto::load_key_bundle(site.directory() / crypto::kEveTlsBundle);
  if (!bundle && bundle.error().code == ErrorCode::not_found) return no_controller(site);
  if (!bundle) return forward_error(bundle);
  BIRTHMARK_TRY(std::string key, bundle->key.to_pem());
  net::TlsServerSettings settings;
  settings.name = "eve";
  settings.identities.push_back({{bundle->certificate.der()}, std::move(key)});
  settings.client_certificate = net::ClientCertificate::optional;
  settings.any_certificate = true;
  settings.tickets = 1;
  return settings;
}

// The face, and behind it adam's administration where a closed bench wants that.
class EveHandler final : public net::Handler {
 public:
  EveHandler(Site& site, const faces::eve::EveParts& parts, const faces::eve::EveSettings& settings)
      : adam_({parts.onboarder, parts.nodes, parts.field, parts.registry, parts.codec, parts.clock, parts.controller}),
        face_(parts, settings, site.config().eve.adam_admin ? &adam_ : nullptr) {}
  Task<net::Response> handle(const net::Request& request) override { return face_.handle(request); }

 private:
  faces::eve::AdamAdmin adam_;
  faces::eve::EveFace face_;
};

Result<std::unique_ptr<net::Handler>> make(Site& site, const FaceServices&) {
  EveHouse& eve = site.eve();
  if (eve.crypto() == nullptr) return no_controller(site);
  const EveConfig& config = site.config().eve;
  const faces::eve::EveParts parts{eve.onboarder(), site.nodes(),  site.field(), site.registry(), site.codec(), *eve.crypto(),
                                   site.clock(),    site.random(), eve};
  faces::eve::EveSettings settings;
  settings.enforce_attestation = config.enforce_attestation;
  settings.keep_info = config.keep_info;
  settings.keep_metrics = config.keep_metrics;
  settings.keep_logs = config.keep_logs;
  return std::make_unique<EveHandler>(site, parts, settings);
}

void warn(Site& site, const std::string& listener) {
  if (site.config().eve.adam_admin)
    log::warning("eve.adam_admin is on: whoever reaches this listener administrates its nodes", {{"listener", listener}});
  const auto doors = site.nodes().certificates(site.factory());
  if (doors && doors->empty())
    log::warning("no EVE node can register yet: birthmark onboard eve-config, or birthmark onboard add", {{"listener", listener}});
}

}  // namespace

Face eve_face() {
  return {"eve", configured, tls, make, kBodyBytes, warn};
}

}  // namespace birthmark::app
