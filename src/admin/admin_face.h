// SPDX-License-Identifier: Apache-2.0
// The admin listener: health, readiness, metrics, and the operator's commands over HTTPS. Every path but the first two wants an operator's
// certificate, or a token with the scope `admin`. Translates; what is done is done by core.
#pragma once

#include <string>
#include <variant>

#include "admin/operations.h"
#include "core/identity.h"
#include "core/ports/clock.h"
#include "core/ports/orders.h"
#include "core/ports/outbox.h"
#include "core/ports/registry.h"
#include "core/ports/tokens.h"
#include "core/site_certificate_cache.h"
#include "core/token_cache.h"
#include "net/http.h"

namespace birthmark::admin {

struct AdminParts {
  core::TokenCache& credentials;
  core::SiteCertificateCache& certificates;
  core::Registry& registry;
  core::Tokens& tokens;
  core::Orders& orders;
  core::Outbox& outbox;
  const core::X509Codec& codec;
  const core::Clock& clock;
  core::Random& random;
  const Metrics& metrics;
  const Operations& operations;
  std::string factory;
};

struct Call;  // admin/rest.h

class AdminFace final : public net::Handler {
 public:
  explicit AdminFace(AdminParts parts) : parts_(std::move(parts)) {}

  [[nodiscard]] Task<net::Response> handle(const net::Request& request) override;

 private:
  // Who asks, for the audit.
  [[nodiscard]] std::variant<std::string, core::Refusal> authenticate(const net::Request& request) const;
  [[nodiscard]] Task<net::Response> answer_api(const Call& call) const;
  [[nodiscard]] net::Response readiness(bool with_reasons) const;
  [[nodiscard]] net::Response metrics() const;

  const AdminParts parts_;
};

}  // namespace birthmark::admin
