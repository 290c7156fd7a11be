// SPDX-License-Identifier: Apache-2.0
#include "core/device_gate.h"

#include <algorithm>
#include <cstring>

#include "base/crash_point.h"
#include "base/log.h"
#include "base/text.h"
#include "core/key_announcement.h"

namespace birthmark::core {
namespace {

constexpr int kMaxAttempts = 8;
constexpr std::size_t kRemembered = 65'536;  // in each of the two halves

Refusal unavailable(RefusalReason reason, const Error& error, std::string identity) {
  return {reason, RefusalKind::unavailable, error.public_message, error.describe(), std::move(identity), {}};
}

Refusal forbidden(RefusalReason reason, std::string text, std::string identity) {
  return {reason, RefusalKind::forbidden, std::move(text), {}, std::move(identity), {}};
}

// Certificates made elsewhere may have serials that we would not make: 21 octets, negative, or one that the same CA gave twice. Such a
// certificate is known by its fingerprint instead.
Serial surrogate_serial(const Fingerprint& fingerprint) {
  std::array<std::uint8_t, 16> octets{};
  std::copy_n(fingerprint.octets.begin(), octets.size(), octets.begin());
  octets[0] = static_cast<std::uint8_t>((octets[0] & 0x3fU) | 0x40U);
  return Serial::from_magnitude(octets).value_or(Serial{});
}

Serial serial_of(const CertificateFacts& facts, const Fingerprint& fingerprint) {
  const bool positive = !facts.serial.empty() && facts.serial.front() < 0x80U;
  auto serial = positive ? Serial::from_magnitude(facts.serial) : Result<Serial>(tl::make_unexpected(Error{}));
  return serial ? *serial : surrogate_serial(fingerprint);
}

}  // namespace

std::string device_audit_body(AuditEvent event, const IssuanceRecord& record, const Fingerprint& fingerprint,
                              const std::string& peer_address) {
  return audit_body(event, record.issued_at,
                    {{"factory", record.identity.factory},
                     {"ecosystem", std::string(to_string(record.identity.ecosystem))},
                     {"id", record.identity.external_id},
                     {"device_id", to_hex(record.device_id.view())},
                     {"key", to_hex(record.spki_sha256.view())},
                     {"serial", record.serial.hex()},
                     {"certificate", to_hex(fingerprint.view())},
                     {"issuer", std::to_string(record.issuer)},
                     {"not_before", format_rfc3339(record.not_before)},
                     {"not_after", format_rfc3339(record.not_after)},
                     {"production", record.production ? "true" : "false"},
                     {"name", record.name},
                     {"hardware_id", record.hardware_id},
                     {"station", record.station},
                     {"peer", peer_address},
                     {"proof", "certificate"}});
}

FieldKey device_field(const DeviceIdentity& identity, std::string kind) {
  return {identity.factory, "device:" + identity.external_id, std::move(kind)};
}

std::size_t DeviceGate::FingerprintHash::operator()(const Fingerprint& fingerprint) const {
  std::size_t hash = 0;
  std::memcpy(&hash, fingerprint.octets.data(), sizeof hash);
  return hash;
}

// The epoch is asked of the registry itself: a denial that was answered before this request holds for it.
std::shared_ptr<const AdmittedDevice> DeviceGate::remembered(const Fingerprint& fingerprint, Instant now) {
  const auto epoch = registry_.trust_epoch();
  if (!epoch) return nullptr;
  const std::lock_guard lock(mutex_);
  for (const Memory* half : {&young_, &old_}) {
    const auto found = half->find(fingerprint);
    if (found == half->end()) continue;
    if (found->second->epoch != *epoch || now >= found->second->not_after) return nullptr;
    return found->second;
  }
  return nullptr;
}

Task<GatewayOutcome> DeviceGate::admit(const PresentedCertificate& presented, const std::string& peer_address) {
  auto facts = codec_.read_certificate(presented.der);
  if (!facts) {
    Refusal unreadable =
        forbidden(RefusalReason::certificate_profile, "the certificate cannot be read: " + facts.error().public_message, {});
    unreadable.audit_text = facts.error().describe();
    co_return co_await refuse(unreadable, peer_address);
  }
  const CertificateFacts& read = *facts;
  co_return co_await admit_in_turn(presented, read, peer_address);
}

Task<GatewayOutcome> DeviceGate::admit_in_turn(const PresentedCertificate& presented, const CertificateFacts& facts,
                                               const std::string& peer_address) {
  // One at a time for each name: of two first contacts, the second finds what the first made.
  const auto names = facts.values(NameAttributeType::common_name);
  const DeviceIdentity queued{trust_.current()->factory, Ecosystem::foundries, names.empty() ? std::string() : to_lower(names.front())};
  const IdentityQueue::Turn turn = co_await queue_.enter(queued);
  for (int tries = 0; tries < kMaxAttempts; ++tries) {
    Attempt outcome = co_await attempt(presented, facts, peer_address);
    if (!outcome) continue;
    if (auto* refusal = std::get_if<Refusal>(&*outcome)) co_return co_await refuse(*refusal, peer_address);
    ++admitted_;
    co_return std::move(*outcome);
  }
  Refusal busy{RefusalReason::storage_unavailable, RefusalKind::unavailable, "the device's record keeps changing; try again", {}, {}, {}};
  co_return co_await refuse(busy, peer_address);
}

Task<DeviceGate::Attempt> DeviceGate::attempt(const PresentedCertificate& presented, const CertificateFacts& facts,
                                              const std::string& peer_address) {
  std::shared_ptr<const TrustSnapshot> trust = trust_.current();
  const auto epoch = registry_.trust_epoch();
  if (epoch && *epoch != trust->epoch && trust_.refresh(trust->epoch)) trust = trust_.current();
  auto judged = judge_device_certificate(presented, facts, *trust, rules_);
  if (auto* refusal = std::get_if<Refusal>(&judged)) co_return std::move(*refusal);
  const DeviceClaim& claim = std::get<DeviceClaim>(judged);
  const std::string& id = claim.identity.external_id;
  auto known = registry_.find(claim.identity);
  if (!known) co_return unavailable(RefusalReason::storage_unavailable, known.error(), id);
  if (*known && (*known)->status == DeviceStatus::denied)
    co_return forbidden(RefusalReason::denied, "Device(" + id + ") is on the denied list", id);
  if (!*known || !(*known)->current_key) {
    std::optional<DeviceRecord>& earlier = *known;
    co_return co_await record_first_contact(presented, facts, claim, earlier, trust, peer_address);
  }
  DeviceRecord& device = **known;
  if (*device.current_key != facts.spki_sha256) co_return co_await switch_key(presented, facts, claim, device, trust, peer_address);
  // The unseen rule must know before anybody could replace it. Written with the next batch.
  if (device.certificate && device.certificate->delivery < Delivery::presented && device.certificate->delivery != Delivery::untracked)
    registry_.note_delivery(device.certificate->row, Delivery::presented);
  co_return let_in(presented, facts, claim, device, trust->epoch);
}

Result<IssuanceRecord> DeviceGate::record_of(const PresentedCertificate& presented, const CertificateFacts& facts, const DeviceClaim& claim,
                                             const std::optional<DeviceRecord>& known, Instant now) {
  IssuanceRecord record;
  record.identity = claim.identity;
  if (known) {
    record.device_id = known->device_id;
    record.hardware_id = known->hardware_id;
    record.station = known->station;
  }
  if (record.device_id == DeviceId{}) BIRTHMARK_CHECK(random_.fill(record.device_id.octets));
  record.name = known && !known->name.empty() ? known->name : claim.identity.external_id;
  record.production = claim.production;
  record.spki_sha256 = facts.spki_sha256;
  record.issuer = presented.issuer;
  record.serial = serial_of(facts, presented.fingerprint);
  record.not_before = facts.not_before;
  record.not_after = facts.not_after;
  record.issued_at = now;
  record.delivery = Delivery::presented;
  record.certificate_der = to_bytes(presented.der);
  return record;
}

Task<Result<RecordOutcome>> DeviceGate::record_foreign(IssuanceRecord& record, const Fingerprint& fingerprint, Preconditions expected,
                                                       const std::string& peer_address) {
  // A serial number that is taken, most often by this device's own life before it was denied and allowed, gives way to one of ours.
  for (int tries = 1;; ++tries) {
    IssuanceRecord copy = record;
    copy.audit_body = device_audit_body(AuditEvent::device_admitted, copy, fingerprint, peer_address);
    BIRTHMARK_CRASH_POINT("gateway.before_first_contact");
    auto outcome = co_await registry_.record(std::move(copy), expected);
    if (!outcome || outcome->conflict != RecordConflict::serial_taken || tries == kMaxAttempts) co_return outcome;
    Fingerprint drawn;
    if (const auto filled = random_.fill(drawn.octets); !filled) co_return tl::make_unexpected(filled.error());
    record.serial = surrogate_serial(drawn);
  }
}

// What is made: device, credential, certificate and audit record in one transaction. A conflict means that somebody else was first.
Task<DeviceGate::Attempt> DeviceGate::record_first_contact(const PresentedCertificate& presented, const CertificateFacts& facts,
                                                           const DeviceClaim& claim, std::optional<DeviceRecord> known,
                                                           std::shared_ptr<const TrustSnapshot> trust, const std::string& peer_address) {
  const std::string& id = claim.identity.external_id;
  if (claim.issuer->record.state != AuthorityState::active)
    co_return forbidden(RefusalReason::issuer_disabled, "the CA that issued the certificate is disabled: it brings no new devices", id);
  const bool welcome = rules_.auto_create == AutoCreate::on || (rules_.auto_create == AutoCreate::registered_only && known.has_value());
  if (!welcome) co_return forbidden(RefusalReason::unknown_device, "Device(" + id + ") is not registered", id);
  const auto now = clock_.trusted_now();
  if (!now) co_return unavailable(RefusalReason::clock_suspect, now.error(), id);
  auto record = record_of(presented, facts, claim, known, *now);
  if (!record) co_return unavailable(RefusalReason::internal, record.error(), id);
  Preconditions expected;
  expected.trust_epoch = trust->epoch;
  IssuanceRecord& wanted = *record;
  auto outcome = co_await record_foreign(wanted, presented.fingerprint, expected, peer_address);
  if (!outcome) co_return unavailable(RefusalReason::storage_unavailable, outcome.error(), id);
  const RecordOutcome recorded = *outcome;
  if (recorded.conflict == RecordConflict::serial_taken)
    co_return forbidden(RefusalReason::key_conflict, "this certificate belonged to an earlier device of this name", id);
  if (recorded.conflict != RecordConflict::none) co_return std::nullopt;
  ++created_;
  log::info("device created on first contact", {{"id", id}, {"peer", peer_address}});
  auto made = registry_.find(claim.identity);
  if (!made || !*made) co_return std::nullopt;
  const DeviceRecord& device = **made;
  co_return let_in(presented, facts, claim, device, trust->epoch);
}

// A known device with another key: good when that key was announced, issued here as the next one, or an operator allows another. Its first
// use is the switch.
Task<DeviceGate::Attempt> DeviceGate::switch_key(const PresentedCertificate& presented, const CertificateFacts& facts,
                                                 const DeviceClaim& claim, DeviceRecord known, std::shared_ptr<const TrustSnapshot> trust,
                                                 const std::string& peer_address) {
  const std::string& id = claim.identity.external_id;
  const auto pending = keys_.pending_key(claim.identity);
  if (!pending) co_return unavailable(RefusalReason::storage_unavailable, pending.error(), id);
  const bool issued_here = *pending && (*pending)->spki_sha256 == facts.spki_sha256;
  const auto announced = was_announced(claim.identity, facts.spki_sha256);
  if (!announced) co_return unavailable(RefusalReason::storage_unavailable, announced.error(), id);
  const auto now = clock_.trusted_now();
  if (!now) co_return unavailable(RefusalReason::clock_suspect, now.error(), id);
  const bool permitted = known.rekey_until && *now <= *known.rekey_until;  // by an operator
  if (!issued_here && !*announced && !permitted) {
    co_return Refusal{RefusalReason::key_conflict, RefusalKind::conflict, "Device(" + id + ") is known with another key", {}, id, {}};
  }
  auto record = record_of(presented, facts, claim, known, *now);
  if (!record) co_return unavailable(RefusalReason::internal, record.error(), id);
  Preconditions expected;
  expected.current_key = known.current_key;
  expected.rekey_allowed = !issued_here && !*announced;
  expected.trust_epoch = trust->epoch;
  BIRTHMARK_CRASH_POINT("gateway.before_key_switch");
  Result<RecordOutcome> outcome = RecordOutcome{};
  if (issued_here) {
    const PendingKey next = **pending;
    record->serial = next.certificate.serial;
    record->issuer = next.certificate.issuer;
    const auto fingerprint = Fingerprint::from(codec_.sha256(next.certificate.der).view()).value_or(Fingerprint{});
    std::string body = device_audit_body(AuditEvent::device_rekeyed, *record, fingerprint, peer_address);
    const Instant at = *now;
    auto promoted = co_await keys_.promote(claim.identity, next, expected, at, std::move(body));
    outcome = std::move(promoted);
  } else {
    record->audit_body = device_audit_body(AuditEvent::device_rekeyed, *record, presented.fingerprint, peer_address);
    IssuanceRecord& switched = *record;
    auto recorded = co_await registry_.record(std::move(switched), expected);
    outcome = std::move(recorded);
  }
  if (!outcome) co_return unavailable(RefusalReason::storage_unavailable, outcome.error(), id);
  if (outcome->conflict == RecordConflict::serial_taken)
    co_return forbidden(RefusalReason::key_conflict, "the new certificate has the serial number of another one", id);
  if (outcome->conflict != RecordConflict::none) co_return std::nullopt;
  BIRTHMARK_CRASH_POINT("gateway.after_key_switch");
  ++rekeyed_;
  log::info("device changed its key", {{"id", id}, {"peer", peer_address}});
  co_return std::nullopt;  // once more: now it is the current key
}

Task<std::optional<Refusal>> DeviceGate::introduce(const Introduction& introduction, const CertificateVerifier& verifier) {
  auto read = codec_.read_certificate(introduction.certificate_der);
  if (!read) {
    Refusal unreadable{
        RefusalReason::malformed_request, RefusalKind::bad_request, read.error().public_message, read.error().describe(), {}, {}};
    co_return co_await refuse(unreadable, introduction.peer_address);
  }
  const CertificateFacts& facts = *read;
  const auto names = facts.values(NameAttributeType::common_name);
  const DeviceIdentity queued{trust_.current()->factory, Ecosystem::foundries, names.empty() ? std::string() : to_lower(names.front())};
  const IdentityQueue::Turn turn = co_await queue_.enter(queued);
  for (int tries = 0; tries < kMaxAttempts; ++tries) {
    auto outcome = co_await try_to_introduce(introduction, facts, verifier);
    if (!outcome) continue;
    auto* refusal = std::get_if<Refusal>(&*outcome);
    if (refusal == nullptr) co_return std::nullopt;
    Refusal why = std::move(*refusal);
    co_return co_await refuse(why, introduction.peer_address);
  }
  Refusal busy{RefusalReason::storage_unavailable, RefusalKind::unavailable, "the device's record keeps changing; try again", {}, {}, {}};
  co_return co_await refuse(busy, introduction.peer_address);
}

Task<std::optional<std::variant<DeviceGate::Introduced, Refusal>>> DeviceGate::try_to_introduce(const Introduction& introduction,
                                                                                                const CertificateFacts& facts,
                                                                                                const CertificateVerifier& verifier) {
  std::shared_ptr<const TrustSnapshot> trust = trust_.current();
  const auto epoch = registry_.trust_epoch();
  if (epoch && *epoch != trust->epoch && trust_.refresh(trust->epoch)) trust = trust_.current();
  const PresentedCertificate presented = present(introduction.certificate_der, facts.fingerprint, *trust, verifier);
  auto judged = judge_device_certificate(presented, facts, *trust, rules_);
  if (auto* refusal = std::get_if<Refusal>(&judged)) co_return std::move(*refusal);
  const DeviceClaim& claim = std::get<DeviceClaim>(judged);
  const std::string& id = claim.identity.external_id;
  const auto now = clock_.trusted_now();
  if (!now) co_return unavailable(RefusalReason::clock_suspect, now.error(), id);
  if (facts.not_after <= *now)
    co_return forbidden(RefusalReason::certificate_profile, "the certificate of Device(" + id + ") has expired", id);
  const auto known = registry_.find(claim.identity);
  if (!known) co_return unavailable(RefusalReason::storage_unavailable, known.error(), id);
  if (*known && (*known)->status == DeviceStatus::denied)
    co_return forbidden(RefusalReason::denied, "Device(" + id + ") is on the denied list", id);
  if (*known && (*known)->current_key)
    co_return Refusal{RefusalReason::key_conflict, RefusalKind::conflict, "Device(" + id + ") already exists", {}, id, {}};
  if (claim.issuer->record.state != AuthorityState::active)
    co_return forbidden(RefusalReason::issuer_disabled, "the CA that issued the certificate is disabled: it brings no new devices", id);
  auto record = record_of(presented, facts, claim, *known, *now);
  if (!record) co_return unavailable(RefusalReason::internal, record.error(), id);
  IssuanceRecord& wanted = *record;
  wanted.name = introduction.name.empty() ? id : introduction.name;
  wanted.group = introduction.group;
  wanted.station = introduction.station;
  wanted.delivery = Delivery::untracked;  // nobody has seen it in use
  Preconditions expected;
  expected.trust_epoch = trust->epoch;
  auto recorded = co_await record_foreign(wanted, facts.fingerprint, expected, introduction.peer_address);
  if (!recorded) co_return unavailable(RefusalReason::storage_unavailable, recorded.error(), id);
  if (recorded->conflict == RecordConflict::serial_taken)
    co_return forbidden(RefusalReason::key_conflict, "this certificate belonged to an earlier device of this name", id);
  if (recorded->conflict != RecordConflict::none) co_return std::nullopt;
  ++created_;
  log::info("device introduced", {{"id", id}, {"peer", introduction.peer_address}, {"by", introduction.station}});
  co_return Introduced{};
}

Result<bool> DeviceGate::was_announced(const DeviceIdentity& identity, const SpkiHash& key) {
  BIRTHMARK_TRY(const auto known, registry_.find(identity));
  if (!known) return false;
  BIRTHMARK_TRY(const auto announced, announced_key(field_, identity, known->current_key));
  return announced == key;
}

Task<Status> DeviceGate::announce_key(const AdmittedDevice& device, SpkiHash next) {
  const auto now = clock_.trusted_now();
  if (!now) co_return tl::make_unexpected(now.error());
  FieldAppend announcement = key_announcement(device.identity, device.key, next, *now);
  BIRTHMARK_CRASH_POINT("gateway.before_announcement");
  auto written = co_await field_.append(std::move(announcement));
  if (!written) co_return forward_error(written);
  BIRTHMARK_CRASH_POINT("gateway.after_announcement");
  co_return Status();
}

std::shared_ptr<const AdmittedDevice> DeviceGate::let_in(const PresentedCertificate& presented, const CertificateFacts& facts,
                                                         const DeviceClaim& claim, const DeviceRecord& known, std::uint64_t epoch) {
  auto device = std::make_shared<AdmittedDevice>();
  device->identity = claim.identity;
  device->row = known.row;
  device->name = known.name;
  device->group = known.group;
  device->production = claim.production;
  device->created_at = known.created_at;
  device->last_seen = known.last_seen;
  device->key = facts.spki_sha256;
  device->spki_der = facts.spki_der;
  device->subject_der = facts.subject_der;
  device->fingerprint = presented.fingerprint;
  device->issuer = presented.issuer;
  device->not_after = facts.not_after;
  device->epoch = epoch;
  const std::lock_guard lock(mutex_);
  if (young_.size() >= kRemembered) {
    old_ = std::move(young_);
    young_ = {};
  }
  young_.insert_or_assign(presented.fingerprint, device);
  return device;
}

Task<Refusal> DeviceGate::refuse_without_certificate(const std::string& peer_address) {
  Refusal refusal = forbidden(RefusalReason::no_certificate, "a device certificate is required here", {});
  co_return co_await refuse(refusal, peer_address);
}

// One line naming the check; the first of its kind in a minute is audited too.
Task<Refusal> DeviceGate::refuse(Refusal refusal, const std::string& peer_address) {
  ++refused_;
  const bool ours = refusal.kind == RefusalKind::unavailable;
  log::write(ours ? log::Level::error : log::Level::info, "gateway refused",
             {{"check", std::string(to_string(refusal.reason))},
              {"id", refusal.identity},
              {"peer", peer_address},
              {"text", refusal.audit_text.empty() ? refusal.public_text : refusal.audit_text}});
  const auto now = clock_.trusted_now();
  if (!now || refusal.reason == RefusalReason::no_certificate) co_return refusal;
  Enrollment attempt;
  attempt.origin.peer_address = peer_address;
  attempt.proof = Proof::device_certificate;
  auto body = journal_.note(refusal, attempt, trust_.current()->factory, *now);
  if (body) {
    auto written = co_await registry_.append_audit(std::move(*body));
    if (!written) log::error("refusal not audited", {{"error", written.error().describe()}});
  }
  co_return refusal;
}

}  // namespace birthmark::core
