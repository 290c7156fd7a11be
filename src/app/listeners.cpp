// SPDX-License-Identifier: Apache-2.0
#include "app/listeners.h"

#include <algorithm>
#include <array>

#include "app/admin_listener.h"
#include "base/log.h"
#include "crypto/certificate_bundle.h"
#include "faces/est/est_face.h"
#include "faces/foundries/registration_face.h"
#include "faces/gateway/gateway_face.h"

namespace birthmark::app {
namespace {

constexpr std::string_view kRegistrationFace = "registration";
constexpr std::string_view kAdminFace = "admin";
constexpr std::string_view kGatewayFace = "gateway";
constexpr std::array<std::string_view, 3> kFaces{kRegistrationFace, kGatewayFace, kAdminFace};
constexpr std::size_t kGatewayBodyBytes = 4U << 20U;  // each path has its own limit below this

std::string face_names() {
  std::string names;
  for (const std::string_view face : kFaces) names.append(names.empty() ? "" : ", ").append(face);
  return names;
}

// FACE=HOST:PORT
Result<ListenPlan> parse_listen(const std::string& text) {
  const std::size_t equals = text.find('=');
  ListenPlan plan;
  plan.face = text.substr(0, equals);
  if (equals == std::string::npos) return fail(ErrorCode::invalid, "--listen " + text + ": expected FACE=HOST:PORT");
  if (std::find(kFaces.begin(), kFaces.end(), plan.face) == kFaces.end())
    return fail(ErrorCode::invalid, "--listen " + text + ": unknown face '" + plan.face + "'; this version has: " + face_names());
  BIRTHMARK_TRY(plan.endpoint, net::parse_endpoint(text.substr(equals + 1)));
  return plan;
}

std::string join(const std::vector<core::Network>& networks) {
  std::string joined;
  for (const core::Network& network : networks) joined += (joined.empty() ? "" : " ") + network.text();
  return joined;
}

// What an operator should know of a listener from which anybody, or nobody, can register.
void warn_of_trust(Site& site, const std::string& listener) {
  const core::AdmissionRules& rules = site.config().admission;
  if (rules.trust == core::RegistrationTrust::open) {
    const std::string networks = join(rules.networks.empty() ? core::private_networks() : rules.networks);
    log::warning("registration is open: whoever reaches this listener from these networks may register devices",
                 {{"listener", listener}, {"networks", networks}});
    return;
  }
  if (site.config().registration_tls == RegistrationTls::off)
    log::warning("tokens cross this listener in the clear: keep it on a network where nobody listens", {{"listener", listener}});
  const auto tokens = site.tokens().tokens();
  const bool any = tokens && std::any_of(tokens->begin(), tokens->end(), [](const core::TokenRecord& token) {
                     return !token.revoked_at && token.scopes.hold(core::Scope::devices_create);
                   });
  if (!any) log::warning("nobody can register yet: make a token with `birthmark token create --scope devices:create`");
}

}  // namespace

Result<std::vector<ListenPlan>> plan_listeners(const Config& config, const std::vector<std::string>& given) {
  std::vector<ListenPlan> plans;
  for (const std::string& text : given) {
    BIRTHMARK_TRY(auto plan, parse_listen(text));
    plans.push_back(std::move(plan));
  }
  if (!given.empty()) return plans;
  for (const net::Endpoint& endpoint : config.registration_listen) plans.push_back({std::string(kRegistrationFace), endpoint});
  for (const net::Endpoint& endpoint : config.admin_listen) plans.push_back({std::string(kAdminFace), endpoint});
  for (const net::Endpoint& endpoint : config.gateway_listen) plans.push_back({std::string(kGatewayFace), endpoint});
  if (plans.empty())
    return fail(ErrorCode::misconfigured,
                "there is nothing to listen on: registration.listen and gateway.listen are empty and no --listen was given");
  return plans;
}

Listeners::Listeners(Site& site) : site_(site) {
  site_.when_reloaded([this] { return reload(); });
}

Listeners::~Listeners() {
  site_.when_reloaded({});
}

Status Listeners::open(const std::vector<ListenPlan>& plans, net::Server& server, std::ostream& out) {
  const bool asked = std::any_of(plans.begin(), plans.end(), [](const ListenPlan& plan) { return plan.face == kAdminFace; });
  if (asked) metrics_ = std::make_unique<admin::Metrics>();
  for (const ListenPlan& plan : plans) BIRTHMARK_CHECK(open_one(plan, server, out));
  return {};
}

Status Listeners::open_one(const ListenPlan& plan, net::Server& server, std::ostream& out) {
  BIRTHMARK_TRY(auto options, options_for(plan.face));
  auto face = make_face(plan.face);  // which may add others
  faces_.push_back(std::move(face));
  BIRTHMARK_TRY(const auto bound, server.listen(plan.endpoint, *faces_.back(), std::move(options)));
  out << "listening " << plan.face << ' ' << net::to_string(bound) << '\n';
  if (plan.face == kRegistrationFace) warn_of_trust(site_, net::to_string(bound));
  return {};
}

Result<net::ListenOptions> Listeners::options_for(const std::string& face) {
  net::ListenOptions options;
  if (face == kGatewayFace) options.body_bytes = kGatewayBodyBytes;
  const bool always_secure = face == kGatewayFace || face == kAdminFace;
  if (always_secure || site_.config().registration_tls == RegistrationTls::gateway) {
    BIRTHMARK_TRY(options.tls, secure(face));
  }
  return options;
}

std::unique_ptr<net::Handler> Listeners::make_face(const std::string& face) {
  const Config& config = site_.config();
  if (face == kAdminFace) return make_admin_face(site_, *metrics_);
  if (face == kRegistrationFace) {
    const faces::foundries::RegistrationSettings settings{config.gateway_server(), config.ostree_server(), site_.device_log(),
                                                          metrics_.get()};
    return std::make_unique<faces::foundries::RegistrationFace>(site_.gate(), site_.enroller(), site_.registry(), settings);
  }
  faces::gateway::GatewaySettings settings;
  settings.repository = config.gateway_repository.empty() ? std::filesystem::path() : site_.directory() / config.gateway_repository;
  settings.ostree = config.gateway_ostree.empty() ? std::filesystem::path() : site_.directory() / config.gateway_ostree;
  settings.app_proxy_url = config.app_proxy_url;
  const faces::gateway::GatewayParts parts{site_.device_gate(), site_.trust_store(), site_.field(),
                                           site_.contacts(),    site_.codec(),       site_.clock()};
  faces_.push_back(std::make_unique<faces::est::EstFace>(site_.device_gate(), site_.renewer(), site_.trust_store(), site_.clock(),
                                                         crypto::encode_certificate_bundle));
  return std::make_unique<faces::gateway::GatewayFace>(parts, settings, faces_.back().get());
}

Result<std::shared_ptr<net::TlsServer>> Listeners::secure(const std::string& face) {
  BIRTHMARK_TRY(const auto settings, tls_settings(face));
  BIRTHMARK_TRY(auto tls, net::TlsServer::create(settings));
  const std::lock_guard lock(mutex_);
  secure_.push_back({tls, face});
  return tls;
}

// The factory's server certificate as it is installed, with the key that its request was made with.
Result<net::TlsServerSettings> Listeners::tls_settings(const std::string& face) const {
  if (face == kAdminFace) return admin_tls_settings(site_);
  const auto trust = site_.trust();
  if (!trust->tls_server) {
    return fail(ErrorCode::misconfigured,
                "the " + face + " listener has no TLS certificate: sign " + (site_.directory() / "csr" / "tls.csr").string() +
                    " with the factory's root, then: birthmark ca install --dir " + site_.directory().string() + " tls-crt");
  }
  BIRTHMARK_TRY(auto key, read_file(site_.directory() / "keys" / "tls.key"));
  net::TlsServerSettings settings;
  settings.name = face;
  settings.identities.push_back({{trust->tls_server->der}, std::move(key)});
  if (face != kGatewayFace) return settings;
  // Every device CA ever trusted, whatever its state: the gateway answers with the reason (protocol facts, gateway 2.3). Never the root.
  settings.client_certificate = net::ClientCertificate::optional;
  for (const core::DeviceAuthority& authority : trust->device_authorities)
    settings.anchors.push_back({authority.record.der, authority.record.row});
  if (trust->root) settings.known_roots.push_back(trust->root->der);
  return settings;
}

// Open connections stay; new ones get what is installed now.
Status Listeners::reload() {
  const std::lock_guard lock(mutex_);
  for (const SecureListener& listener : secure_) {
    BIRTHMARK_TRY(const auto settings, tls_settings(listener.face));
    BIRTHMARK_CHECK(listener.tls->reload(settings));
  }
  return {};
}

}  // namespace birthmark::app
