// SPDX-License-Identifier: Apache-2.0
// The line's listener: POST /sign, as registration.trust says.
#include <algorithm>

#include "app/face.h"
#include "app/own_certificate.h"
#include "base/log.h"
#include "faces/foundries/registration_face.h"

namespace birthmark::app {
namespace {

std::string join(const std::vector<core::Network>& networks) {
  std::string joined;
  for (const core::Network& network : networks) joined += (joined.empty() ? "" : " ") + network.text();
  return joined;
}

std::vector<net::Endpoint> configured(const Config& config) {
  return config.registration_listen;
}

Result<std::optional<net::TlsServerSettings>> tls(Site& site) {
  if (site.config().registration_tls == RegistrationTls::off) return std::nullopt;
  const bool own = site.config().registration_tls == RegistrationTls::own;
  BIRTHMARK_TRY(auto settings, own ? own_tls_settings(site, "registration", site.config().registration_names)
                                   : factory_tls_settings(site, "registration"));
  if (site.config().admission.trust == core::RegistrationTrust::certificate) BIRTHMARK_CHECK(ask_holders(site, settings));
  return settings;
}

Result<std::unique_ptr<net::Handler>> make(Site& site, const FaceServices& services) {
  const Config& config = site.config();
  const faces::foundries::RegistrationSettings settings{config.gateway_server(), config.ostree_server(), site.device_log(),
                                                        services.metrics};
  return std::make_unique<faces::foundries::RegistrationFace>(site.gate(), site.enroller(), site.registry(), settings);
}

void warn_of_stations(Site& site) {
  const auto certificates = site.site_certificates().site_certificates();
  const Instant now = site.clock().now();
  const bool any = certificates && std::any_of(certificates->begin(), certificates->end(), [&](const core::SiteCertificate& certificate) {
                     return certificate.role == core::HolderRole::station && !certificate.revoked_at && now < certificate.not_after;
                   });
  if (!any) log::warning("nobody can register yet: give a station a certificate with `birthmark station add`");
}

// What an operator should know of a listener from which anybody, or nobody, can register.
void warn(Site& site, const std::string& listener) {
  const core::AdmissionRules& rules = site.config().admission;
  if (rules.trust == core::RegistrationTrust::open) {
    const std::string networks = join(rules.networks.empty() ? core::private_networks() : rules.networks);
    log::warning("registration is open: whoever reaches this listener from these networks may register devices",
                 {{"listener", listener}, {"networks", networks}});
    return;
  }
  if (rules.trust == core::RegistrationTrust::certificate) return warn_of_stations(site);
  if (site.config().registration_tls == RegistrationTls::off)
    log::warning("tokens cross this listener in the clear: keep it on a network where nobody listens", {{"listener", listener}});
  const auto tokens = site.tokens().tokens();
  const bool any = tokens && std::any_of(tokens->begin(), tokens->end(), [](const core::TokenRecord& token) {
                     return !token.revoked_at && token.scopes.hold(core::Scope::devices_create);
                   });
  if (!any) log::warning("nobody can register yet: make a token with `birthmark token create --scope devices:create`");
}

}  // namespace

Face registration_face() {
  return {"registration", configured, tls, make, 0, warn};
}

}  // namespace birthmark::app
