// SPDX-License-Identifier: Apache-2.0
// The factory's own API as fioctl, lmp-device-register, fioup and the registration reference's upload speak it (protocol facts, Foundries 1
// and 2). Routes, authenticates and checks scopes; the resources beside it answer. Decides nothing about devices or trust.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/ports/clock.h"
#include "faces/factory_api/caller.h"
#include "faces/factory_api/resource.h"
#include "net/http.h"

namespace birthmark::faces::factory_api {

// Counts a request whose credential is no good; how long its sender should wait, when it was not the first.
using FailureCounter = std::function<std::optional<std::chrono::seconds>(const net::Request& request)>;

class FactoryApiFace final : public net::Handler {
 public:
  // The authenticators are asked in this order. `clock` must outlive the face.
  FactoryApiFace(std::string factory, const core::Clock& clock, std::vector<std::unique_ptr<Authenticator>> authenticators,
                 std::vector<std::unique_ptr<Resource>> resources, FailureCounter failures = {});
  ~FactoryApiFace() override;

  [[nodiscard]] Task<net::Response> handle(const net::Request& request) override;

 private:
  struct CompiledRoute;
  struct Match;

  [[nodiscard]] Match match(const net::Request& request) const;
  // Who calls, when he may; otherwise the answer that says why not.
  [[nodiscard]] std::variant<Caller, net::Response> let_in(const net::Request& request, const Access& access);

  const std::string factory_;
  const core::Clock& clock_;
  const std::vector<std::unique_ptr<Authenticator>> authenticators_;
  const std::vector<std::unique_ptr<Resource>> resources_;
  const FailureCounter failures_;
  std::vector<CompiledRoute> routes_;
};

}  // namespace birthmark::faces::factory_api
