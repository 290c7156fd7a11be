// SPDX-License-Identifier: Apache-2.0
// The admin listener: operators, over TLS by this server's own small CA. DIR/admin.pem and DIR/keys/admin.key are made and signed by
// DIR/site-ca.pem when they are not there; clients trust site-ca.pem, and may show a certificate that it signed.
#include "admin/admin_face.h"
#include "app/face.h"
#include "app/own_certificate.h"
#include "crypto/pki/certificate.h"
#include "faces/eve/adam_admin.h"
#include "net/authorization.h"

namespace birthmark::app {
namespace {

class SiteOperations final : public admin::Operations {
 public:
  explicit SiteOperations(Site& site) : site_(site) {}

  std::vector<std::string> reasons_not_ready() const override { return site_.obstacles(); }

  std::vector<admin::Figure> process_figures() const override {
    std::vector<admin::Figure> figures;
    for (const cli::Figure& known : site_.figures()) figures.push_back({known.name, known.value});
    if (const auto totals = site_.registry().totals()) {
      figures.push_back({"devices", totals->devices});
      figures.push_back({"denied", totals->denied});
    }
    if (const auto outbox = site_.outbox().outbox_totals(core::OutboxChannel::upstream)) add_outbox(*outbox, figures);
    return figures;
  }

  std::vector<admin::Expiry> expiries() const override {
    const auto trust = site_.trust();
    std::vector<admin::Expiry> found;
    if (trust->root) add_expiry("root", trust->root->der, found);
    if (trust->tls_server) add_expiry("tls", trust->tls_server->der, found);
    for (const core::DeviceAuthority& authority : trust->device_authorities)
      if (authority.record.state == core::AuthorityState::active) add_expiry("device-ca", authority.record.der, found);
    return found;
  }

  admin::CommitSizes commit_sizes() const override {
    const auto store = site_.store_statistics();
    return {store.batches, store.jobs};
  }

  admin::Delivery delivery(core::OutboxChannel channel) const override {
    auto view = channel == core::OutboxChannel::upstream ? site_.upstream() : site_.hooks();
    return {std::move(view.url), std::move(view.mode), std::move(view.figures)};
  }

 private:
  void add_outbox(const core::OutboxTotals& outbox, std::vector<admin::Figure>& figures) const {
    figures.push_back({"outbox_waiting", outbox.waiting});
    figures.push_back({"outbox_stopped", outbox.stopped});
    const Instant now = site_.clock().now();
    const auto age = outbox.oldest && *outbox.oldest < now ? std::chrono::floor<std::chrono::seconds>(now - *outbox.oldest).count() : 0;
    figures.push_back({"outbox_oldest_age_seconds", static_cast<std::uint64_t>(age)});
  }
  static void add_expiry(const std::string& role, ByteView der, std::vector<admin::Expiry>& found) {
    if (const auto certificate = crypto::Certificate::from_der(der))
      found.push_back({role, certificate->subject_text(), certificate->not_after()});
  }

  Site& site_;
};

// The face and what it asks, kept together.
class AdminHandler final : public net::Handler {
 public:
  AdminHandler(Site& site, const admin::Metrics& metrics)
      : operations_(site),
        face_({site.credentials(), site.holders(), site.registry(), site.tokens(), site.orders(), site.outbox(), site.codec(), site.clock(),
               site.random(), metrics, operations_, site.factory()}),
        site_(site),
        adam_({site.eve().onboarder(), site.nodes(), site.field(), site.registry(), site.codec(), site.clock(), site.eve()}) {}
  Task<net::Response> handle(const net::Request& request) override {
    if (request.path.starts_with("/admin/")) return handle_adam(request);
    return face_.handle(request);
  }

 private:
  // adam's administration, for who may administrate here.
  Task<net::Response> handle_adam(const net::Request& request) {
    const auto judged = site_.credentials().authenticate(net::presented_token(request), core::Scope::admin, site_.clock().now());
    if (const auto* refusal = std::get_if<core::Refusal>(&judged)) {
      const bool unknown = refusal->kind == core::RefusalKind::unauthenticated;
      co_return net::json_error(unknown ? 401 : 403, refusal->public_text);
    }
    co_return co_await adam_.handle(request);
  }

  SiteOperations operations_;
  admin::AdminFace face_;
  Site& site_;
  faces::eve::AdamAdmin adam_;
};

std::vector<net::Endpoint> configured(const Config& config) {
  return config.admin_listen;
}

Result<std::optional<net::TlsServerSettings>> tls(Site& site) {
  BIRTHMARK_TRY(auto settings, own_tls_settings(site, "admin", site.config().admin_names));
  BIRTHMARK_CHECK(ask_holders(site, settings));
  return settings;
}

Result<std::unique_ptr<net::Handler>> make(Site& site, const FaceServices& services) {
  return std::make_unique<AdminHandler>(site, *services.metrics);
}

}  // namespace

Face admin_face() {
  return {"admin", configured, tls, make};
}

}  // namespace birthmark::app
