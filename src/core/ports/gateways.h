// SPDX-License-Identifier: Apache-2.0
// Port: Izuma Edge gateways as their inventory knows them, beside the registry's identities. A row is written by Registry::record together
// with the certificate (state issued), and settled once: provisioned, or superseded with the identity free again. Adapter: store/sqlite.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/task.h"
#include "base/time.h"
#include "core/gateway_draft.h"
#include "core/ports/intake.h"
#include "core/ports/registry.h"

namespace birthmark::core {

// The numbers are stored; they never change. `issued`: recorded; while a server is at it, the certificate is being injected.
enum class GatewayState : std::uint8_t { issued = 1, provisioned = 2, superseded = 3 };
[[nodiscard]] std::string_view to_string(GatewayState state);

struct GatewayRecord {
  RowId row = 0;
  DeviceIdentity identity;
  RowId certificate = 0;  // 0: imported, made elsewhere
  GatewayState state = GatewayState::issued;
  Instant created_at;
  std::optional<Instant> settled_at;
  GatewayDraft draft;
  std::string enrollment_id;  // "A-...", once provisioned
  std::string station;
  std::string tenant;  // to whom it was dispatched
  std::string notes;
};

// Once an injection succeeded, or did not.
struct GatewaySettlement {
  RowId certificate = 0;
  DeviceIdentity identity;
  Instant at;
  std::string enrollment_id;  // empty: not provisioned; the certificate is superseded and the identity free
  std::string audit_body;
};

// From another system, with times and serial numbers as they were. Its key is not known: the fingerprint of its certificate, which the
// enrollment id is made of, stands in device.key for it.
struct ImportedGateway {
  ImportedDevice device;
  GatewayDraft draft;
  std::string enrollment_id;
};

struct GatewayNote {
  std::optional<std::string> tenant;
  std::optional<std::string> notes;
};

enum class ListOrder : std::uint8_t { ascending, descending };

class Gateways {
 public:
  virtual ~Gateways() = default;

  // The newest row of that identity, whatever its state.
  [[nodiscard]] virtual Result<std::optional<GatewayRecord>> newest(const DeviceIdentity& identity) = 0;
  // Provisioned ones after `last` (0: from the start) in that order, at most `limit`.
  [[nodiscard]] virtual Result<std::vector<GatewayRecord>> list(const std::string& factory, ListOrder order, RowId last,
                                                                std::size_t limit) = 0;
  // Those that no server settled, oldest first: what a server that died left.
  [[nodiscard]] virtual Result<std::vector<GatewayRecord>> unsettled(const std::string& factory) = 0;

  // False when it was settled before; nothing is written then.
  [[nodiscard]] virtual Task<Result<bool>> settle(GatewaySettlement settlement) = 0;
  // As Intake::import_devices.
  [[nodiscard]] virtual Task<Result<std::vector<ImportOutcome>>> import(std::vector<ImportedGateway> gateways) = 0;
  // not_found when there is no provisioned gateway of that identity.
  [[nodiscard]] virtual Task<Status> annotate(DeviceIdentity identity, GatewayNote note, Instant at, std::string audit_body) = 0;
};

}  // namespace birthmark::core
