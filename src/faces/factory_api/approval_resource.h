// SPDX-License-Identifier: Apache-2.0
// /oauth/device: the page on which somebody with a token lets a device register, or does not (RFC 8628 3.3). Small, without a script, and
// readable by every browser. A login is a cookie that other sites cannot send; each form carries proof that this page made it.
#pragma once

#include "core/attempt_meter.h"
#include "core/oauth_desk.h"
#include "faces/factory_api/client_address.h"
#include "faces/factory_api/resource.h"

namespace birthmark::faces::factory_api {

class ApprovalResource final : public Resource {
 public:
  struct Parts {
    std::string factory;
    core::OauthDesk& desk;
    core::AttemptMeter& failures;
    const core::X509Codec& codec;
    const core::Clock& clock;
    std::vector<Authenticator*> authenticators;  // who shows one of their credentials may log in, if it holds devices:create
    std::vector<core::Network> proxies;
  };
  explicit ApprovalResource(Parts parts) : parts_(std::move(parts)) {}

  [[nodiscard]] std::vector<Route> routes() override;

 private:
  // Who is logged in, and the cookie's text, from which forms are proven.
  struct Session {
    core::GrantRecord grant;
    std::string text;
  };
  [[nodiscard]] std::optional<Session> session_of(const net::Request& request) const;
  [[nodiscard]] net::Response show(const Call& call);
  [[nodiscard]] Task<net::Response> post(const Call& call);
  [[nodiscard]] Task<net::Response> log_in(const Call& call);
  [[nodiscard]] Task<net::Response> decide(const Call& call, Session session);
  [[nodiscard]] net::Response code_page(const Session& session, const std::string& code, const std::string& problem, int status) const;
  [[nodiscard]] net::Response device_page(const Session& session, const core::AuthorizationRecord& asked) const;
  [[nodiscard]] std::string proof_of(const Session& session, std::string_view code) const;
  [[nodiscard]] net::Response look(const Session& session, const std::string& code, const net::Request& request);
  // How long somebody who guesses has to wait.
  [[nodiscard]] std::optional<std::chrono::seconds> count_failure(const net::Request& request);

  const Parts parts_;
};

}  // namespace birthmark::faces::factory_api
