// SPDX-License-Identifier: Apache-2.0
// Port: a device's way from one key to the next. The next certificate is recorded beside the current one, and takes its place when the
// device first shows it; until then the current one stays good, so an answer that is lost locks nobody out. Adapters: the registry's own.
#pragma once

#include <optional>
#include <string>

#include "core/ports/registry.h"

namespace birthmark::core {

struct PendingKey {
  SpkiHash spki_sha256;
  CertificateRecord certificate;  // the newest for it
};

class KeyChanges {
 public:
  virtual ~KeyChanges() = default;

  // Records a certificate for a key that is not yet the identity's. A pending one before it becomes superseded.
  [[nodiscard]] virtual Task<Result<RecordOutcome>> record_pending(IssuanceRecord issuance, Preconditions preconditions) = 0;
  // The pending key becomes the current one, the one before superseded; its certificate counts as presented. Raises the trust epoch, so
  // that nobody goes on believing the old key. identity_changed when that is not the pending key and certificate (any more).
  [[nodiscard]] virtual Task<Result<RecordOutcome>> promote(DeviceIdentity identity, PendingKey pending, Preconditions preconditions,
                                                            Instant at, std::string audit_body) = 0;
  [[nodiscard]] virtual Result<std::optional<PendingKey>> pending_key(const DeviceIdentity& identity) = 0;
};

}  // namespace birthmark::core
