// SPDX-License-Identifier: Apache-2.0
// /ota/factories/{factory}/certs/: the PKI owner's side of the API, as `fioctl keys ca ...` and `keys est ...` use it (protocol facts,
// Foundries 1.3 to 1.8). Translates; core::FactoryPki judges.
#pragma once

#include <string>
#include <vector>

#include "core/ports/factory_pki.h"
#include "faces/factory_api/resource.h"

namespace birthmark::faces::factory_api {

class CertsResource final : public Resource {
 public:
  // `pki` must outlive it.
  CertsResource(core::FactoryPki& pki, std::string factory) : pki_(pki), factory_(std::move(factory)) {}

  [[nodiscard]] std::vector<Route> routes() override;

 private:
  [[nodiscard]] net::Response show() const;
  [[nodiscard]] Task<net::Response> request(const Call& call);
  [[nodiscard]] Task<net::Response> change(const Call& call);
  // fioctl 0.30 to 0.37 ask for EST under certs/est/.
  [[nodiscard]] Task<net::Response> request_est(const Call& call);
  [[nodiscard]] Task<net::Response> change_est(const Call& call);
  [[nodiscard]] Task<net::Response> submit(core::PkiSubmission submission, const Call& call);

  core::FactoryPki& pki_;
  const std::string factory_;
};

}  // namespace birthmark::faces::factory_api
