// SPDX-License-Identifier: Apache-2.0
// Whose certificate is this? Answers from memory; reads the certificates anew when the trust epoch has moved. That the peer holds the key,
// and that our own CA signed, was found out by TLS. Safe from every thread.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <variant>

#include "core/enrollment.h"
#include "core/ports/registry.h"
#include "core/ports/site_certificates.h"

namespace birthmark::core {

class SiteCertificateCache {
 public:
  // Everything handed in must outlive it.
  SiteCertificateCache(SiteCertificates& certificates, Registry& registry, std::string factory)
      : certificates_(certificates), registry_(registry), factory_(std::move(factory)) {}

  // The record of the certificate with which a peer came. Refused with kind unauthenticated when there was none, or it is unknown, expired
  // or revoked; forbidden when it was made for something else than `needed`.
  [[nodiscard]] std::variant<SiteCertificate, Refusal> authenticate(const Fingerprint* presented, HolderRole needed, Instant now);

 private:
  using Shelf = std::map<Fingerprint, SiteCertificate>;
  [[nodiscard]] Result<std::shared_ptr<const Shelf>> shelf();

  SiteCertificates& certificates_;
  Registry& registry_;
  const std::string factory_;
  std::mutex mutex_;
  std::shared_ptr<const Shelf> shelf_;
  std::uint64_t epoch_ = 0;  // Registry::trust_epoch when it was read
};

}  // namespace birthmark::core
