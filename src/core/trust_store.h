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
  std::optional<AuthorityRecord> est_server;  // of EST, where it has a name and a certificate of its own
  bool needs_root = true;                     // nothing is issued before a root is installed

  [[nodiscard]] const DeviceAuthority* by_row(RowId row) const;
};

// Why this authority may not issue at `now`; nothing when it may.
[[nodiscard]] std::optional<std::string> why_not_issuing(const DeviceAuthority& authority, Instant now);

// Where a request takes its snapshot from; holding the pointer pins it. Safe from every thread.
class TrustStore {
 public:
  // `registry` and `codec` must outlive it. Empty until the first reload().
  // `issuing` are the CAs whose snapshot this is; gateway CAs may stand alone, without the factory's root.
  TrustStore(Registry& registry, const X509Codec& codec, std::string factory, AuthorityRole issuing = AuthorityRole::device_ca)
      : registry_(registry), codec_(codec), factory_(std::move(factory)), issuing_(issuing) {}

  [[nodiscard]] std::shared_ptr<const TrustSnapshot> current() const;

  // Reads the authorities anew and pairs them with these signers (in the order of preference) by public key. On an error the earlier
  // snapshot stays.
  [[nodiscard]] Status reload(std::vector<std::shared_ptr<Signer>> signers);
  // The same in two steps: what would be, and that it is so from now on.
  using Signers = std::vector<std::shared_ptr<Signer>>;
  [[nodiscard]] Result<std::shared_ptr<const TrustSnapshot>> prepare(const Signers& signers) const { return read(signers); }
  void use(std::shared_ptr<const TrustSnapshot> snapshot, Signers signers);
  // The same with the signers it has, unless somebody else already moved on from `stale`: for who found that the epoch rose.
  [[nodiscard]] Status refresh(std::uint64_t stale);

 private:
  [[nodiscard]] Result<std::shared_ptr<const TrustSnapshot>> read(const std::vector<std::shared_ptr<Signer>>& signers) const;

  Registry& registry_;
  const X509Codec& codec_;
  const std::string factory_;
  const AuthorityRole issuing_;
  std::mutex reload_mutex_;  // one reload at a time
  std::vector<std::shared_ptr<Signer>> signers_;
  mutable std::mutex snapshot_mutex_;
  std::shared_ptr<const TrustSnapshot> snapshot_;
};

}  // namespace birthmark::core
