// SPDX-License-Identifier: Apache-2.0
// Which certificates the server trusts and which keys it can issue with: one immutable snapshot, swapped whole.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "core/certificate.h"
#include "core/ports/registry.h"
#include "core/ports/signer.h"
#include "core/ports/x509_codec.h"

namespace birthmark::core {

// A device CA of the factory. Without a signer it is trusted but cannot issue here.
struct DeviceAuthority {
  AuthorityRecord record;
  CertificateFacts facts;
  std::shared_ptr<Signer> signer;
};

struct TrustSnapshot {
  std::string factory;
  std::uint64_t epoch = 0;  // Registry::trust_epoch when it was read
  std::optional<AuthorityRecord> root;
  // Every device CA ever trusted; those with a signer first, in the order of the configuration.
  std::vector<DeviceAuthority> device_authorities;
  std::optional<AuthorityRecord> tls_server;
  std::vector<std::string> tls_dns_names;

  [[nodiscard]] const DeviceAuthority* by_row(RowId row) const;
};

// Why this authority may not issue at `now`; nothing when it may.
[[nodiscard]] std::optional<std::string> why_not_issuing(const DeviceAuthority& authority, Instant now);

// Reads the authorities and pairs them with the signers by public key. Signers come in the order of preference.
[[nodiscard]] Result<std::shared_ptr<const TrustSnapshot>> read_trust(Registry& registry, const X509Codec& codec, const std::string& factory,
                                                                     const std::vector<std::shared_ptr<Signer>>& signers);

// Where a request takes its snapshot from; holding the pointer pins it. Safe from every thread.
class TrustStore {
 public:
  [[nodiscard]] std::shared_ptr<const TrustSnapshot> current() const {
    const std::lock_guard lock(mutex_);
    return snapshot_;
  }
  void replace(std::shared_ptr<const TrustSnapshot> snapshot) {
    const std::lock_guard lock(mutex_);
    snapshot_ = std::move(snapshot);
  }

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const TrustSnapshot> snapshot_;
};

}  // namespace birthmark::core
