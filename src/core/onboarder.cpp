// SPDX-License-Identifier: Apache-2.0
#include "core/onboarder.h"

#include <algorithm>

#include "base/crash_point.h"
#include "base/log.h"
#include "base/text.h"
#include "core/device_gate.h"

namespace birthmark::core {
namespace {

constexpr int kMaxAttempts = 8;
constexpr unsigned kKnocksPerSecond = 20;

Refusal unavailable(RefusalReason reason, const Error& error) {
  return {reason, RefusalKind::unavailable, error.public_message, error.describe(), {}, {}};
}

Refusal refusal_of(RefusalReason reason, RefusalKind kind, std::string text, std::string audit_text = {}, std::string identity = {}) {
  return {reason, kind, std::move(text), std::move(audit_text), std::move(identity), {}};
}

Enrollment as_enrollment(const NodeAttempt& attempt, const std::string& onboarding) {
  Enrollment enrollment;
  enrollment.ecosystem = Ecosystem::eve;
  enrollment.proof = Proof::device_certificate;
  enrollment.origin.peer_address = attempt.peer_address;
  enrollment.origin.station = attempt.peer_address;
  enrollment.origin.credential = "onboarding " + onboarding;
  return enrollment;
}

bool is_usable_key(const CertificateFacts& facts) {
  return facts.key_algorithm == KeyAlgorithm::ec_p256 || facts.key_algorithm == KeyAlgorithm::ec_p384;
}

bool comes_as(const NodeRecord& node, RowId onboarding, const NodeSerials& serials) {
  return node.onboarding == onboarding && (node.serial == serials.hardware || node.serial == serials.soft);
}

// Its own serial where that is one and nobody has it; the registry only needs one that is unique.
Result<Serial> serial_for(const CertificateFacts& facts, Random& random, bool first_try) {
  const bool positive = !facts.serial.empty() && facts.serial.front() < 0x80U;
  if (first_try && positive) {
    if (auto own = Serial::from_magnitude(facts.serial)) return own;
  }
  std::array<std::uint8_t, 16> octets{};
  BIRTHMARK_CHECK(random.fill(octets));
  octets[0] = static_cast<std::uint8_t>((octets[0] & 0x3fU) | 0x40U);
  return Serial::from_magnitude(octets);
}

Result<std::string> new_uuid(Random& random) {
  Uuid uuid{};
  BIRTHMARK_CHECK(random.fill(uuid));
  uuid[6] = static_cast<std::uint8_t>((uuid[6] & 0x0fU) | 0x40U);  // RFC 4122 4.4
  uuid[8] = static_cast<std::uint8_t>((uuid[8] & 0x3fU) | 0x80U);
  return format_uuid(uuid);
}

std::string known_text(const NodeRecord& node) {
  return "node " + node.identity.external_id + " (serial '" + node.serial + "', certificate " + to_hex(node.certificate.view()) + ")";
}

}  // namespace

Task<OnboardOutcome> Onboarder::onboard(const NodeAttempt& attempt) {
  co_return co_await enter(attempt, Asked::by_node);
}

Task<OnboardOutcome> Onboarder::admit(const NodeAttempt& attempt) {
  co_return co_await enter(attempt, Asked::by_operator);
}

// 1 understand
Task<OnboardOutcome> Onboarder::enter(const NodeAttempt& attempt, Asked asked) {
  auto facts = codec_.read_certificate(attempt.certificate_der);
  if (!facts) {
    Refusal unreadable = refusal_of(RefusalReason::malformed_request, RefusalKind::bad_request,
                                    "the device certificate cannot be read: " + facts.error().public_message, facts.error().describe());
    co_return co_await refuse(attempt, unreadable);
  }
  if (!is_usable_key(*facts)) {
    Refusal unusable =
        refusal_of(RefusalReason::key_not_allowed, RefusalKind::bad_request, "the device certificate's key must be on P-256 or P-384");
    co_return co_await refuse(attempt, unusable);
  }
  auto serials = read_serials(attempt.serial, attempt.soft_serial);
  if (!serials) {
    Refusal unreadable = refusal_of(RefusalReason::bad_device_id, RefusalKind::bad_request, serials.error().public_message);
    co_return co_await refuse(attempt, unreadable);
  }
  const CertificateFacts& certificate = *facts;
  const NodeSerials& names = *serials;
  co_return co_await enter_in_turn(attempt, certificate, names, asked);
}

Task<OnboardOutcome> Onboarder::enter_in_turn(const NodeAttempt& attempt, const CertificateFacts& facts, const NodeSerials& serials,
                                              Asked asked) {
  const DeviceIdentity queued{factory_, Ecosystem::eve, serials.hardware.empty() ? serials.soft : serials.hardware};
  const IdentityQueue::Turn turn = co_await queue_.enter(queued);
  for (int tries = 0; tries < kMaxAttempts; ++tries) {
    Attempt outcome = co_await attempt_once(attempt, facts, serials, asked);
    if (!outcome) continue;
    if (auto* refusal = std::get_if<Refusal>(&*outcome)) co_return co_await refuse(attempt, *refusal);
    ++(std::get<Onboarded>(*outcome).replayed ? replayed_ : onboarded_);
    co_return std::move(*outcome);
  }
  Refusal busy = refusal_of(RefusalReason::storage_unavailable, RefusalKind::unavailable, "the node's record keeps changing; try again");
  co_return co_await refuse(attempt, busy);
}

// The order is the precedence: who is denied is told so, who comes again unchanged is let in whatever became of the onboarding
// certificate, and only then is asked whether somebody new may come.
Task<Onboarder::Attempt> Onboarder::attempt_once(const NodeAttempt& attempt, const CertificateFacts& facts, const NodeSerials& serials,
                                                 Asked asked) {
  const auto epoch = registry_.trust_epoch();
  const auto fingerprint = Fingerprint::from(codec_.sha256(attempt.onboarding_der).view()).value_or(Fingerprint{});
  const auto onboarding = nodes_.certificate(factory_, fingerprint);
  const auto holder = nodes_.by_certificate(factory_, facts.fingerprint.view());
  const auto now = clock_.trusted_now();
  if (!epoch) co_return unavailable(RefusalReason::storage_unavailable, epoch.error());
  if (!onboarding) co_return unavailable(RefusalReason::storage_unavailable, onboarding.error());
  if (!holder) co_return unavailable(RefusalReason::storage_unavailable, holder.error());
  if (!now) co_return unavailable(RefusalReason::clock_suspect, now.error());
  const std::string holder_id = *holder ? (*holder)->identity.external_id : std::string();
  if (*holder && (*holder)->status == DeviceStatus::denied)
    co_return refusal_of(RefusalReason::denied, RefusalKind::forbidden, "this device is on the deny list", known_text(**holder), holder_id);
  if (!*onboarding)
    co_return refusal_of(RefusalReason::unknown_device, RefusalKind::forbidden, "this onboarding certificate is not known here", {}, {});
  const OnboardingCertificate& door = **onboarding;

  // 2 replay?
  const bool active_holder = *holder && (*holder)->status == DeviceStatus::active;
  if (active_holder && comes_as(**holder, door.row, serials)) co_return OnboardOutcome(Onboarded{**holder, true});
  if (active_holder)
    co_return refusal_of(RefusalReason::key_conflict, RefusalKind::conflict, "this device certificate is registered under another serial",
                         "held by " + known_text(**holder), holder_id);

  // 3 decide
  auto chosen = choose_serial(door, serials, asked, *now);
  if (!chosen) co_return unavailable(RefusalReason::storage_unavailable, chosen.error());
  if (auto* refusal = std::get_if<Refusal>(&*chosen)) co_return std::move(*refusal);
  const std::string& serial = std::get<std::string>(*chosen);
  auto known = nodes_.by_serial(door.row, serial);
  if (!known) co_return unavailable(RefusalReason::storage_unavailable, known.error());
  if (*known) {
    const NodeRecord& node = **known;
    const bool permitted = node.rekey_until && *now <= *node.rekey_until;
    if (node.status == DeviceStatus::denied)
      co_return refusal_of(RefusalReason::denied, RefusalKind::forbidden, "this device is on the deny list", known_text(node),
                           node.identity.external_id);
    if (node.status == DeviceStatus::active && !permitted)
      co_return refusal_of(RefusalReason::key_conflict, RefusalKind::conflict,
                           "this onboarding certificate and serial are registered with another device certificate",
                           "held by " + known_text(node), node.identity.external_id);
  } else if (const auto closed = why_closed(door, *now); closed) {
    co_return refusal_of(RefusalReason::not_permitted, RefusalKind::forbidden, "this onboarding certificate brings no new nodes", *closed);
  }
  // A released holder that comes under another free serial keeps its UUID.
  std::optional<NodeRecord> earlier = *known ? *known : *holder;
  NodeDraft draft;
  draft.onboarding = door.row;
  draft.serial = serial;
  draft.hardware_serial = serials.hardware;
  draft.soft_serial = serials.soft;
  draft.takes_place = !earlier.has_value();
  const std::uint64_t seen = *epoch;
  const Instant at = *now;
  co_return co_await record(attempt, facts, std::move(draft), std::move(earlier), seen, at);
}

Result<std::variant<std::string, Refusal>> Onboarder::choose_serial(const OnboardingCertificate& certificate, const NodeSerials& serials,
                                                                    Asked asked, Instant now) const {
  using Choice = std::variant<std::string, Refusal>;
  if (asked == Asked::by_operator) return Choice(serials.hardware.empty() ? serials.soft : serials.hardware);
  const auto listed = [&](const std::string& serial) { return nodes_.lists_serial(certificate.row, serial); };
  BIRTHMARK_TRY(auto admitted, admitted_serial(certificate, serials, rules_, listed));
  if (admitted) return Choice(std::move(*admitted));
  if (const auto closed = why_closed(certificate, now))
    return Choice(
        refusal_of(RefusalReason::not_permitted, RefusalKind::forbidden, "this onboarding certificate brings no new nodes", *closed));
  if (!telling_serial(serials, rules_))
    return Choice(refusal_of(RefusalReason::unknown_device, RefusalKind::forbidden,
                             "the serial is one that many machines share, and there is no soft serial to tell this one apart",
                             "serial '" + serials.hardware + "'"));
  return Choice(refusal_of(RefusalReason::unknown_device, RefusalKind::forbidden,
                           "this serial is not announced for this onboarding certificate",
                           certificate.name + ": serial '" + serials.hardware + "', soft serial '" + serials.soft + "'"));
}

// 6 record: identity, certificate, node and audit in one transaction
Task<Onboarder::Attempt> Onboarder::record(const NodeAttempt& attempt, const CertificateFacts& facts, NodeDraft draft,
                                           std::optional<NodeRecord> known, std::uint64_t epoch, Instant now) {
  IssuanceRecord& issuance = draft.issuance;
  issuance.issuer = controller_.load();
  if (issuance.issuer == 0) {
    const Error missing{ErrorCode::misconfigured, "the controller has no certificates yet: birthmark onboard controller-pki", {}};
    co_return unavailable(RefusalReason::no_usable_issuer, missing);
  }
  Preconditions expected;
  expected.trust_epoch = epoch;
  AuditEvent event = AuditEvent::device_admitted;
  if (known) {
    issuance.identity = known->identity;
    auto device = registry_.find(known->identity);
    if (!device) co_return unavailable(RefusalReason::storage_unavailable, device.error());
    if (!*device) co_return std::nullopt;
    issuance.device_id = (*device)->device_id;
    issuance.name = (*device)->name;
    expected.current_key = (*device)->current_key;
    expected.rekey_allowed = (*device)->current_key.has_value();
    if (expected.rekey_allowed) event = AuditEvent::device_rekeyed;
  } else {
    auto uuid = attempt.uuid.empty() ? new_uuid(random_) : Result<std::string>(attempt.uuid);
    auto filled = random_.fill(issuance.device_id.octets);
    if (!uuid) co_return unavailable(RefusalReason::internal, uuid.error());
    if (!filled) co_return unavailable(RefusalReason::internal, filled.error());
    issuance.identity = {factory_, Ecosystem::eve, std::move(*uuid)};
    issuance.name = draft.serial;
  }
  issuance.hardware_id = draft.hardware_serial;
  issuance.station = attempt.peer_address;
  issuance.spki_sha256 = facts.spki_sha256;
  issuance.not_before = facts.not_before;
  issuance.not_after = facts.not_after;
  issuance.issued_at = now;
  issuance.certificate_der = attempt.certificate_der;
  draft.certificate = facts.fingerprint;
  draft.spki_der = facts.spki_der;
  auto serial = serial_for(facts, random_, !known.has_value());
  if (!serial) co_return unavailable(RefusalReason::internal, serial.error());
  issuance.serial = *serial;
  issuance.audit_body = device_audit_body(event, issuance, facts.fingerprint, attempt.peer_address);
  add_field(issuance.audit_body, {"onboarding", to_hex(codec_.sha256(attempt.onboarding_der).view())});
  add_field(issuance.audit_body, {"node_serial", draft.serial});
  const DeviceIdentity identity = issuance.identity;
  BIRTHMARK_CRASH_POINT("onboard.before_record");
  auto outcome = co_await nodes_.record_node(std::move(draft), expected);
  if (!outcome) co_return unavailable(RefusalReason::storage_unavailable, outcome.error());
  switch (*outcome) {
    case NodeConflict::none: break;
    case NodeConflict::changed: co_return std::nullopt;
    case NodeConflict::no_place:
      co_return refusal_of(RefusalReason::not_permitted, RefusalKind::forbidden,
                           "this onboarding certificate has brought all the nodes it may");
    case NodeConflict::closed: co_return std::nullopt;
  }
  BIRTHMARK_CRASH_POINT("onboard.after_record");
  auto made = nodes_.by_uuid(identity);
  if (!made || !*made) co_return std::nullopt;
  log::info("node onboarded", {{"id", identity.external_id}, {"serial", (*made)->serial}, {"peer", attempt.peer_address}});
  co_return OnboardOutcome(Onboarded{std::move(**made), false});
}

Result<KnownNode> Onboarder::identify(ByteView certificate_hash) const {
  KnownNode known;
  BIRTHMARK_TRY(known.node, nodes_.by_certificate(factory_, certificate_hash));
  if (!known.node) return known;
  switch (known.node->status) {
    case DeviceStatus::active: known.standing = NodeStanding::in; break;
    case DeviceStatus::released: known.standing = NodeStanding::released; break;
    case DeviceStatus::denied: known.standing = known.node->deleted ? NodeStanding::deleted : NodeStanding::denied; break;
  }
  return known;
}

Task<Result<bool>> Onboarder::readmit(const NodeRecord& node, const std::string& peer_address) {
  auto der = nodes_.certificate_der(node.row);
  if (!der) co_return tl::make_unexpected(der.error());
  auto facts = codec_.read_certificate(*der);
  if (!facts) co_return tl::make_unexpected(facts.error());
  const auto epoch = registry_.trust_epoch();
  const auto now = clock_.trusted_now();
  const auto onboardings = nodes_.certificates(factory_);
  if (!epoch) co_return tl::make_unexpected(epoch.error());
  if (!now) co_return tl::make_unexpected(now.error());
  if (!onboardings) co_return tl::make_unexpected(onboardings.error());
  NodeAttempt attempt;
  for (const OnboardingCertificate& door : *onboardings)
    if (door.row == node.onboarding) attempt.onboarding_der = door.der;
  attempt.certificate_der = std::move(*der);
  attempt.peer_address = peer_address;
  NodeDraft draft;
  draft.onboarding = node.onboarding;
  draft.serial = node.serial;
  draft.hardware_serial = node.hardware_serial;
  draft.soft_serial = node.soft_serial;
  const CertificateFacts& certificate = *facts;
  std::optional<NodeRecord> earlier = node;
  const std::uint64_t seen = *epoch;
  const Instant at = *now;
  Attempt outcome = co_await record(attempt, certificate, std::move(draft), std::move(earlier), seen, at);
  if (outcome && std::holds_alternative<Onboarded>(*outcome)) co_return true;
  // Somebody was quicker, perhaps this very node on another connection.
  const auto again = nodes_.by_certificate(factory_, node.certificate.view());
  co_return again && *again && (*again)->status == DeviceStatus::active;
}

Task<OnboardOutcome> Onboarder::refuse(const NodeAttempt& attempt, Refusal refusal) {
  ++refused_;
  const std::string onboarding = to_hex(codec_.sha256(attempt.onboarding_der).view());
  const bool ours = refusal.kind == RefusalKind::unavailable;
  log::write(ours ? log::Level::error : log::Level::info, "node refused",
             {{"reason", std::string(to_string(refusal.reason))},
              {"serial", attempt.serial},
              {"soft_serial", attempt.soft_serial},
              {"peer", attempt.peer_address},
              {"text", refusal.audit_text.empty() ? refusal.public_text : refusal.audit_text}});
  const auto now = clock_.trusted_now();
  if (!now) co_return refusal;
  note_knock(attempt, refusal, *now);
  if (refusal.identity.empty()) refusal.identity = attempt.serial.empty() ? attempt.soft_serial : attempt.serial;
  auto body = journal_.note(refusal, as_enrollment(attempt, onboarding), factory_, *now);
  if (!body) co_return refusal;
  auto written = co_await registry_.append_audit(std::move(*body));
  if (!written) log::error("refusal not audited", {{"error", written.error().describe()}});
  co_return refusal;
}

void Onboarder::note_knock(const NodeAttempt& attempt, const Refusal& refusal, Instant now) {
  const bool waits = refusal.reason == RefusalReason::unknown_device || refusal.reason == RefusalReason::not_permitted;
  if (!waits || !may_knock(now)) return;
  Knock knock;
  knock.factory = factory_;
  knock.onboarding = Fingerprint::from(codec_.sha256(attempt.onboarding_der).view()).value_or(Fingerprint{});
  knock.onboarding_der = attempt.onboarding_der;
  const auto serials = read_serials(attempt.serial, attempt.soft_serial);
  if (!serials) return;
  knock.serial = serials->hardware;
  knock.soft_serial = serials->soft;
  knock.certificate = Fingerprint::from(codec_.sha256(attempt.certificate_der).view()).value_or(Fingerprint{});
  knock.peer_address = attempt.peer_address;
  knock.reason = refusal.public_text;
  knock.first_at = knock.last_at = now;
  nodes_.note_knock(std::move(knock));
}

// Anybody can knock: what is written of it stays far below what registrations need.
bool Onboarder::may_knock(Instant now) {
  const std::lock_guard lock(knock_mutex_);
  const Instant second = std::chrono::floor<std::chrono::seconds>(now);
  if (second != knock_second_) {
    knock_second_ = second;
    knocks_in_second_ = 0;
  }
  return ++knocks_in_second_ <= kKnocksPerSecond;
}

}  // namespace birthmark::core
