// SPDX-License-Identifier: Apache-2.0
#include "core/site_certificate_cache.h"

namespace birthmark::core {
namespace {

Refusal unauthenticated(std::string text, std::string audit_text = {}) {
  return {RefusalReason::unauthenticated, RefusalKind::unauthenticated, std::move(text), std::move(audit_text), {}};
}

std::string described(const SiteCertificate& certificate) {
  return "certificate " + certificate.serial.hex() + " of " + std::string(to_string(certificate.role)) + ' ' + certificate.holder;
}

}  // namespace

std::string_view to_string(HolderRole role) {
  switch (role) {
    case HolderRole::station: return "station";
    case HolderRole::operator_: return "operator";
  }
  return "unknown";
}

Result<std::shared_ptr<const SiteCertificateCache::Shelf>> SiteCertificateCache::shelf() {
  BIRTHMARK_TRY(const std::uint64_t epoch, registry_.trust_epoch());
  const std::lock_guard held(mutex_);
  if (shelf_ && epoch_ == epoch) return shelf_;
  BIRTHMARK_TRY(auto records, certificates_.site_certificates());
  auto fresh = std::make_shared<Shelf>();
  for (SiteCertificate& record : records) {
    const Fingerprint fingerprint = record.fingerprint;
    if (record.factory == factory_) fresh->emplace(fingerprint, std::move(record));
  }
  shelf_ = std::move(fresh);
  epoch_ = epoch;
  return shelf_;
}

std::variant<SiteCertificate, Refusal> SiteCertificateCache::authenticate(const Fingerprint* presented, HolderRole needed, Instant now) {
  const std::string role(to_string(needed));
  if (presented == nullptr) return unauthenticated("a client certificate is required: `birthmark " + role + " add` makes one");
  auto known = shelf();
  if (!known) {
    return Refusal{
        RefusalReason::storage_unavailable, RefusalKind::unavailable, known.error().public_message, known.error().describe(), {}};
  }
  const auto found = (*known)->find(*presented);
  if (found == (*known)->end()) return unauthenticated("the client certificate is not one that this server gave out");
  const SiteCertificate& certificate = found->second;
  if (certificate.revoked_at) return unauthenticated("the client certificate was revoked", described(certificate) + " was revoked");
  if (certificate.not_after <= now) {
    return unauthenticated("the client certificate has expired",
                           described(certificate) + " expired at " + format_rfc3339(certificate.not_after));
  }
  if (certificate.role != needed) {
    return Refusal{RefusalReason::not_permitted,
                   RefusalKind::forbidden,
                   "the client certificate is not " + std::string(needed == HolderRole::station ? "a station's" : "an operator's"),
                   described(certificate) + " is not for this",
                   {}};
  }
  return certificate;
}

}  // namespace birthmark::core
