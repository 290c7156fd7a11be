// SPDX-License-Identifier: Apache-2.0
// The registration listener: POST /sign as lmp-device-register, fioup and the registration reference's clients speak it (protocol facts,
// Foundries 3 and 4). Translates; decides nothing.
#pragma once

#include <chrono>
#include <memory>
#include <mutex>
#include <string>

#include "core/device_log.h"
#include "core/enroller.h"
#include "core/gate.h"
#include "core/ports/registry.h"
#include "core/registration_meter.h"
#include "net/http.h"

namespace birthmark::faces::foundries {

struct RegistrationSettings {
  std::string gateway_server;  // "https://gw.example:8443"
  std::string ostree_server;
  core::DeviceLog* device_log = nullptr;     // who else notes each device before it is answered
  core::RegistrationMeter* meter = nullptr;  // who counts; must outlive the face
};

class RegistrationFace : public net::Handler {
 public:
  RegistrationFace(core::Gate& gate, core::Enroller& enroller, core::Registry& registry, RegistrationSettings settings)
      : gate_(gate), enroller_(enroller), registry_(registry), settings_(std::move(settings)) {}

  [[nodiscard]] Task<net::Response> handle(const net::Request& request) override;

 private:
  // The parts of every answer that only change with the trust, ready to be put between JSON quotes.
  struct Chain {
    std::shared_ptr<const core::TrustSnapshot> trust;
    core::RowId issuer = 0;
    std::string issuer_pem;  // escaped
    std::string root_pem;    // escaped
  };

  [[nodiscard]] Task<net::Response> turn_away(const net::Request& request, const core::Refusal& refusal);
  [[nodiscard]] Task<net::Response> sign(const net::Request& request, const core::Admission& admission);
  // Tells the meter, if there is one, how a registration ended that began at `begun`.
  void count(std::string_view station, std::string_view result, std::chrono::steady_clock::time_point begun) const;
  [[nodiscard]] std::shared_ptr<const Chain> chain_of(const core::Enrolled& enrolled);
  [[nodiscard]] net::Response render(const core::Enrolled& enrolled, std::string_view sota_toml);

  core::Gate& gate_;
  core::Enroller& enroller_;
  core::Registry& registry_;
  const RegistrationSettings settings_;
  std::mutex chain_mutex_;
  std::shared_ptr<const Chain> chain_;
};

}  // namespace birthmark::faces::foundries
