// SPDX-License-Identifier: Apache-2.0
// The pep listener: Izuma Edge gateways, plain HTTP on the line's network as their tools speak it.
#include "app/face.h"
#include "app/own_certificate.h"
#include "app/pep_settings.h"
#include "base/log.h"
#include "core/gateway_keeper.h"
#include "crypto/gateway_tools.h"

namespace birthmark::app {
namespace {

std::vector<net::Endpoint> configured(const Config& config) {
  return config.pep.listen;
}

Result<std::optional<net::TlsServerSettings>> tls(Site& site) {
  if (site.config().pep.tls == PepTls::off) return std::nullopt;
  BIRTHMARK_TRY(auto settings, factory_tls_settings(site, "pep"));
  if (site.config().admission.trust == core::RegistrationTrust::certificate) BIRTHMARK_CHECK(ask_holders(site, settings));
  return settings;
}

core::RegistrationRules rules_of(const Config& config) {
  core::RegistrationRules rules = config.rules;
  rules.production = core::ProductionRule::device;
  rules.certificate_validity = config.pep.certificate_validity;
  rules.retry_window = Duration::zero();  // a gateway that was not provisioned is free at once
  return rules;
}

// The face with the procedure it goes through: same registry and orders as registration, its own CAs.
class PepService final : public net::Handler {
 public:
  PepService(Site& site, faces::izuma::PepSettings settings)
      : tools_(crypto::make_gateway_tools()),
        enroller_(site.codec(), site.registry(), site.gateway_trust(), site.clock_guard(), site.random(), rules_of(site.config()),
                  &site.orders()),
        keeper_(site.registry(), site.gateways(), site.clock_guard(), site.factory()),
        face_({site.gate(), enroller_, keeper_, site.gateways(), *tools_, site.codec(), site.clock_guard(), site.random(), site.factory()},
              std::move(settings)) {}

  [[nodiscard]] core::GatewayKeeper& keeper() { return keeper_; }
  Task<net::Response> handle(const net::Request& request) override { return face_.handle(request); }

 private:
  const std::unique_ptr<core::GatewayTools> tools_;
  core::Enroller enroller_;
  core::GatewayKeeper keeper_;
  faces::izuma::PepFace face_;
};

Result<std::unique_ptr<net::Handler>> make(Site& site, const FaceServices& services) {
  BIRTHMARK_TRY(auto settings, make_pep_settings(site));
  settings.meter = services.metrics;
  BIRTHMARK_CHECK(check_gateway_ca(*site.gateway_trust().current(), site.config().pep, site.clock().now()));
  auto service = std::make_unique<PepService>(site, std::move(settings));
  const auto freed = run_task(service->keeper().recover());
  // A suspect clock must not keep the other listeners from starting: each serial number is freed when it is asked for again.
  if (!freed) log::error("gateways left by an earlier run are not settled yet", {{"error", freed.error().describe()}});
  if (freed && *freed > 0)
    log::warning("gateways that were being provisioned when the server ended are free again", {{"count", std::to_string(*freed)}});
  return service;
}

void warn(Site& site, const std::string& listener) {
  if (site.config().admission.trust != core::RegistrationTrust::open) return;
  log::warning("pep is open: whoever reaches this listener from the networks of registration may provision gateways",
               {{"listener", listener}});
}

}  // namespace

Face pep_face() {
  return {"pep", configured, tls, make, 0, warn};
}

}  // namespace birthmark::app
