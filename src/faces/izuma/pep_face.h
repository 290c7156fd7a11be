// SPDX-License-Identifier: Apache-2.0
// The pep listener: what pep-cli and its scripts ask for (protocol facts, pep 1.2), and the provisioning of gateways over their Factory
// Configurator Client. Translates and carries; who may have an identity is decided in core.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/suspend.h"
#include "core/enroller.h"
#include "core/gate.h"
#include "core/gateway_keeper.h"
#include "core/network.h"
#include "core/ports/gateway_tools.h"
#include "core/registration_meter.h"
#include "faces/izuma/factory_settings.h"
#include "faces/izuma/fcc_bundle.h"
#include "faces/izuma/fcc_session.h"
#include "faces/izuma/pep_docs.h"
#include "faces/izuma/pep_query.h"
#include "net/http.h"

namespace birthmark::faces::izuma {

enum class EnrollmentIdCase : std::uint8_t { upper, lower };

// "A-35:E7:..." (protocol facts, pep 3.4).
[[nodiscard]] std::string enrollment_id(const Fingerprint& fingerprint, EnrollmentIdCase letters);

struct PepSettings {
  FactorySettings factory;
  FccTimes times;
  std::vector<core::Network> gateway_networks;    // where gateways may be, beside the address of who asks
  std::vector<core::Network> inventory_networks;  // who may read ids and keys under open trust
  EnrollmentIdCase id_case = EnrollmentIdCase::upper;
  // "127.0.0.1:5151" of this server's own listeners; an address of all zeros stands for every one of this machine.
  std::vector<std::pair<std::string, std::uint16_t>> own_listeners;
  // For keys that are supplied from outside: the one of that serial number.
  std::function<Result<core::MadeKey>(const std::string& serial_number)> external_key;
  core::RegistrationMeter* meter = nullptr;
};

struct PepParts {
  core::Gate& gate;
  core::Enroller& enroller;
  core::GatewayKeeper& keeper;
  core::Gateways& gateways;
  core::GatewayTools& tools;
  const core::X509Codec& codec;
  core::ClockGuard& clock;
  core::Random& random;
  std::string factory;
};

class PepFace final : public net::Handler {
 public:
  PepFace(PepParts parts, PepSettings settings) : parts_(std::move(parts)), settings_(std::move(settings)) {}

  [[nodiscard]] Task<net::Response> handle(const net::Request& request) override;

 private:
  // One serial number that is being provisioned; who asks for the same waits for its answer.
  struct Running {
    std::string target;
    std::string station;
    std::vector<Resume<net::Response>> waiting;
  };
  // One attempt, from admission to answer.
  struct Attempt {
    IdentityRequest request;
    core::Admission admission;
    core::Enrollment enrollment;
    std::unique_ptr<FccSession> session;
    SecretBytes key;         // made here
    std::string session_id;  // of a by_device conversation
  };

  [[nodiscard]] Task<net::Response> identity(const net::Request& request, const core::Admission& admission);
  [[nodiscard]] Task<net::Response> provision_once(Attempt& attempt);
  [[nodiscard]] Task<net::Response> provision(Attempt& attempt);
  [[nodiscard]] Task<Status> obtain_key(Attempt& attempt);
  [[nodiscard]] Task<Status> request_csr(Attempt& attempt);
  [[nodiscard]] Task<net::Response> inject(Attempt& attempt, const core::Enrolled& enrolled);
  [[nodiscard]] Task<Status> send_identity(Attempt& attempt, const core::Enrolled& enrolled);
  [[nodiscard]] Task<net::Response> give_up(Attempt& attempt, const core::Enrolled& enrolled, Error why);
  [[nodiscard]] Task<net::Response> refuse(const Attempt& attempt, core::Refusal refusal);
  [[nodiscard]] Task<net::Response> turn_away(const net::Request& request, core::Refusal refusal);
  [[nodiscard]] Status prepare(Attempt& attempt) const;
  [[nodiscard]] std::optional<core::Refusal> judge_target(const Attempt& attempt) const;
  [[nodiscard]] bool is_own_listener(const IdentityRequest& request) const;

  [[nodiscard]] net::Response read_by_serial(const net::Request& request, bool verification_key) const;
  [[nodiscard]] net::Response list(const net::Request& request, std::string_view prefix) const;
  [[nodiscard]] bool may_read(const core::Admission& admission) const;

  const PepParts parts_;
  const PepSettings settings_;
  const net::ApiDocs docs_{pep_docs()};
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<Running>, std::less<>> running_;
};

// How a refusal is answered.
[[nodiscard]] net::Response refusal_response(const core::Refusal& refusal);

// The identity document as it is answered: the request's members, then what the server knows. `id` empty: as answered to who asked.
[[nodiscard]] std::string identity_document(const core::GatewayRecord& gateway, std::string_view id = {});

}  // namespace birthmark::faces::izuma
