// SPDX-License-Identifier: Apache-2.0
#include "core/renewer.h"

#include <algorithm>

#include "base/crash_point.h"
#include "base/log.h"
#include "core/linter.h"

namespace birthmark::core {
namespace {

constexpr int kMaxAttempts = 8;
// A device that lost the answer asks again with the same key and request (RFC 7030 4.2.1 leaves that to us).
constexpr Duration kReplayWindow = std::chrono::minutes(10);

Refusal bad_request(RefusalReason reason, std::string text, const AdmittedDevice& device) {
  return {reason, RefusalKind::bad_request, std::move(text), {}, device.identity.external_id, {}};
}

Refusal unavailable(RefusalReason reason, const Error& error, const AdmittedDevice& device) {
  return {reason, RefusalKind::unavailable, error.public_message, error.describe(), device.identity.external_id, {}};
}

const DeviceAuthority* usable_issuer(const TrustSnapshot& trust, Instant now, std::string& reasons) {
  for (const DeviceAuthority& authority : trust.device_authorities) {
    const auto obstacle = why_not_issuing(authority, now);
    if (!obstacle) return &authority;
    reasons += (reasons.empty() ? "" : "; ") + *obstacle;
  }
  return nullptr;
}

}  // namespace

Task<std::variant<Renewed, Refusal>> Renewer::renew(const AdmittedDevice& device, ByteView csr_der, const std::string& peer_address) {
  const auto csr = codec_.read_csr_der(csr_der);
  if (!csr) co_return bad_request(RefusalReason::malformed_request, csr.error().public_message, device);
  const CsrFacts& facts = *csr;
  for (int tries = 0; tries < kMaxAttempts; ++tries) {
    Attempt outcome = co_await attempt(device, facts, peer_address);
    if (!outcome) continue;
    if (const auto* refusal = std::get_if<Refusal>(&*outcome)) {
      log::info("renewal refused", {{"check", std::string(to_string(refusal->reason))},
                                    {"id", device.identity.external_id},
                                    {"peer", peer_address},
                                    {"text", refusal->public_text}});
    }
    co_return std::move(*outcome);
  }
  const Error busy{ErrorCode::unavailable, "the device's record keeps changing; try again", {}};
  co_return unavailable(RefusalReason::storage_unavailable, busy, device);
}

std::optional<Refusal> Renewer::examine(const AdmittedDevice& device, const CsrFacts& csr, const TrustSnapshot& trust) const {
  // RFC 7030 4.2.2: the subject of the request is that of the certificate it is authenticated by; octets, so that string types stay too.
  if (csr.subject_der != device.subject_der)
    return bad_request(RefusalReason::bad_subject, "the request's subject must be that of the current certificate", device);
  if (csr.key_algorithm == KeyAlgorithm::rsa || csr.key_algorithm == KeyAlgorithm::other)
    return bad_request(RefusalReason::key_not_allowed, "the request's key must be on P-256, P-384 or P-521", device);
  const auto& authorities = trust.device_authorities;
  const bool of_a_ca = std::any_of(authorities.begin(), authorities.end(),
                                   [&](const DeviceAuthority& authority) { return authority.facts.spki_sha256 == csr.spki_sha256; });
  if (of_a_ca) return bad_request(RefusalReason::key_not_allowed, "the request's key is the key of a CA", device);
  return std::nullopt;
}

Task<Renewer::Attempt> Renewer::attempt(const AdmittedDevice& device, const CsrFacts& csr, const std::string& peer_address) {
  const std::shared_ptr<const TrustSnapshot> trust = trust_.current();
  if (auto refusal = examine(device, csr, *trust)) co_return std::move(*refusal);
  const auto known = registry_.find(device.identity);
  if (!known) co_return unavailable(RefusalReason::storage_unavailable, known.error(), device);
  if (!*known || (*known)->current_key != device.key || (*known)->status != DeviceStatus::active) {
    co_return Refusal{RefusalReason::key_conflict,
                      RefusalKind::forbidden,
                      "the certificate is not the device's any more",
                      {},
                      device.identity.external_id,
                      {}};
  }
  const auto now = clock_.trusted_now();
  if (!now) co_return unavailable(RefusalReason::clock_suspect, now.error(), device);
  const bool same_key = csr.spki_sha256 == device.key;
  if (!same_key) {
    const auto pending = keys_.pending_key(device.identity);
    if (!pending) co_return unavailable(RefusalReason::storage_unavailable, pending.error(), device);
    if (*pending && (*pending)->spki_sha256 == csr.spki_sha256 && *now - (*pending)->certificate.issued_at < kReplayWindow)
      co_return Renewed{(*pending)->certificate.der, true};
  }
  std::string reasons;
  const DeviceAuthority* issuer = usable_issuer(*trust, *now, reasons);
  if (issuer == nullptr) {
    const Error none{ErrorCode::unavailable, "no CA can issue at the moment: " + reasons, {}};
    co_return unavailable(RefusalReason::no_usable_issuer, none, device);
  }
  const Applicant applicant{device.identity, device.production, csr.subject_der};
  auto plan = policy_.plan(applicant, csr, *issuer, *now, random_, policy_.rules().certificate_validity);
  if (!plan) co_return unavailable(RefusalReason::internal, plan.error(), device);
  IssuanceRecord record;
  record.identity = device.identity;
  record.device_id = (*known)->device_id;
  record.name = (*known)->name;
  record.hardware_id = (*known)->hardware_id;
  record.production = (*known)->production;
  record.station = "est";
  record.spki_sha256 = csr.spki_sha256;
  record.issuer = issuer->record.row;
  record.serial = plan->serial;
  record.not_before = plan->not_before;
  record.not_after = plan->not_after;
  record.issued_at = *now;
  Preconditions expected;
  expected.current_key = device.key;
  expected.trust_epoch = trust->epoch;
  auto permit = Linter::permit(std::move(*plan), *issuer, *trust);
  if (!permit) co_return unavailable(RefusalReason::internal, permit.error(), device);
  BIRTHMARK_CRASH_POINT("renew.before_sign");
  auto issued = co_await issuer_.sign(std::move(*permit), *issuer->signer);
  if (!issued) co_return unavailable(RefusalReason::internal, issued.error(), device);
  record.audit_body =
      device_audit_body(same_key ? AuditEvent::device_issued : AuditEvent::device_renewed, record, issued->fingerprint, peer_address);
  record.certificate_der = issued->der;
  BIRTHMARK_CRASH_POINT("renew.before_record");
  Result<RecordOutcome> outcome = RecordOutcome{};
  if (same_key) {
    auto recorded = co_await registry_.record(std::move(record), expected);
    outcome = std::move(recorded);
  } else {
    auto recorded = co_await keys_.record_pending(std::move(record), expected);
    outcome = std::move(recorded);
  }
  if (!outcome) co_return unavailable(RefusalReason::storage_unavailable, outcome.error(), device);
  if (outcome->conflict == RecordConflict::trust_changed) {
    if (auto refreshed = trust_.refresh(trust->epoch); !refreshed)
      co_return unavailable(RefusalReason::storage_unavailable, refreshed.error(), device);
  }
  if (outcome->conflict != RecordConflict::none) co_return std::nullopt;
  BIRTHMARK_CRASH_POINT("renew.after_record");
  co_return Renewed{std::move(issued->der), false};
}

}  // namespace birthmark::core
