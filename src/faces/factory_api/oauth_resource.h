// SPDX-License-Identifier: Apache-2.0
// /oauth/: the device flow of RFC 8628 as lmp-device-register drives it (protocol facts, Foundries 2.4), and the tokens that fioctl logs in
// for (1.12). Their bodies are forms, not always percent-encoded. core::OauthDesk decides.
#pragma once

#include "core/attempt_meter.h"
#include "core/oauth_desk.h"
#include "faces/factory_api/client_address.h"
#include "faces/factory_api/resource.h"

namespace birthmark::faces::factory_api {

class OauthResource final : public Resource {
 public:
  struct Parts {
    std::string factory;
    core::OauthDesk& desk;
    core::AttemptMeter& failures;
    const core::Clock& clock;
    std::vector<core::Network> proxies;
    std::string public_url;  // "https://api.example:8080"; empty: where the device found us
  };
  explicit OauthResource(Parts parts) : parts_(std::move(parts)) {}

  [[nodiscard]] std::vector<Route> routes() override;

 private:
  [[nodiscard]] Task<net::Response> begin(const Call& call);
  [[nodiscard]] Task<net::Response> token(const Call& call);
  [[nodiscard]] net::Response refusal(const core::OauthError& error, const Call& call);

  const Parts parts_;
};

// Where people find this server: as configured, else as the request did.
[[nodiscard]] std::string base_url(const net::Request& request, const std::string& public_url);

}  // namespace birthmark::faces::factory_api
