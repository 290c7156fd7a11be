// SPDX-License-Identifier: Apache-2.0
// Port: certificates that this server's own CA gave to stations and operators. Adapters: store/sqlite, store/memory; both pass
// tests/contract. As with tokens, each writing call is one durable transaction with its audit record, and raises the trust epoch.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "base/task.h"
#include "base/time.h"

namespace birthmark::core {

// What the holder may do with it. The numbers are stored; they never change.
enum class HolderRole : std::uint8_t {
  station = 1,    // register devices
  operator_ = 2,  // everything on the admin listener
};
[[nodiscard]] std::string_view to_string(HolderRole role);

struct SiteCertificate {
  std::string factory;
  HolderRole role = HolderRole::station;
  std::string holder;  // the station's or operator's name
  Fingerprint fingerprint;
  Serial serial;
  Instant created_at;
  Instant not_after;
  std::optional<Instant> revoked_at;
};

// Which of a holder's certificates.
struct HolderCertificates {
  std::string factory;
  HolderRole role = HolderRole::station;
  std::string holder;
  std::optional<Serial> serial;  // only this one
};

class SiteCertificates {
 public:
  virtual ~SiteCertificates() = default;
  // conflict when there is one with that fingerprint.
  [[nodiscard]] virtual Task<Result<SiteCertificate>> add_certificate(SiteCertificate certificate, std::string audit_body) = 0;
  // How many were revoked by this; without a trace when there were none that stood.
  [[nodiscard]] virtual Task<Result<std::uint64_t>> revoke_certificates(HolderCertificates which, Instant at, std::string audit_body) = 0;
  // All of them, revoked and expired ones too, in the order they were made.
  [[nodiscard]] virtual Result<std::vector<SiteCertificate>> site_certificates() = 0;
};

}  // namespace birthmark::core
