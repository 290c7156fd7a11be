// SPDX-License-Identifier: Apache-2.0
// The life of an Izuma Edge gateway's identity between its record and its injection: who may have a serial number, what a repeated request
// gets, and that a serial number is free or provisioned at the end, also when the server died in between. Called by the pep face.
#pragma once

#include <string>
#include <variant>

#include "core/clock_guard.h"
#include "core/enrollment.h"
#include "core/ports/gateways.h"

namespace birthmark::core {

// What a repeated request within this time after success gets again, without a second injection.
inline constexpr Duration kGatewayReplayWindow = std::chrono::minutes(10);

class GatewayKeeper {
 public:
  // Everything handed in must outlive it.
  GatewayKeeper(Registry& registry, Gateways& gateways, ClockGuard& clock, std::string factory)
      : registry_(registry), gateways_(gateways), clock_(clock), factory_(std::move(factory)) {}

  struct Free {};
  using Standing = std::variant<Free, GatewayRecord, Refusal>;
  // Whether that serial number can be provisioned; the recorded gateway when the same target asks again in time. Frees what an earlier
  // attempt left unsettled: the caller must be the only one at that serial number.
  [[nodiscard]] Task<Standing> look(std::string serial_number, std::string target, std::string station);

  // The gateway that holds an identity for that serial number.
  [[nodiscard]] Result<std::optional<GatewayRecord>> provisioned(const std::string& serial_number);

  // Durable when it answers. conflict when the device was denied or forgotten meanwhile.
  [[nodiscard]] Task<Result<GatewayRecord>> provisioned_now(Enrolled enrolled, std::string enrollment_id, std::string target);
  // The serial number is free again; what the gateway may hold is superseded.
  [[nodiscard]] Task<Status> failed(DeviceIdentity identity, RowId certificate, std::string reason);

  // What a server that died left unsettled becomes free; how many. Before the face takes requests.
  [[nodiscard]] Task<Result<std::size_t>> recover();

 private:
  [[nodiscard]] Result<DeviceIdentity> identity_of(const std::string& serial_number) const;

  Registry& registry_;
  Gateways& gateways_;
  ClockGuard& clock_;
  const std::string factory_;
};

}  // namespace birthmark::core
