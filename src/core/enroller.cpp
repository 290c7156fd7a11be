// SPDX-License-Identifier: Apache-2.0
#include "core/enroller.h"

#include <utility>

#include "base/crash_point.h"
#include "base/log.h"
#include "base/text.h"
#include "core/linter.h"
#include "core/ports/comebacks.h"

namespace birthmark::core {
namespace {

constexpr int kMaxAttempts = 8;  // against a state that changes between the decision and the transaction

Refusal unavailable(RefusalReason reason, const Error& error, std::string identity) {
  return {reason, RefusalKind::unavailable, error.public_message, error.describe(), std::move(identity)};
}

Refusal unreadable(const Error& error) {
  return {RefusalReason::malformed_request, RefusalKind::bad_request, error.public_message, error.describe(), {}};
}

// The device is registered here, and the upstream does not know it yet, or will not have it: asking again changes nothing then.
Refusal not_confirmed(const Error& error, std::string identity) {
  Refusal refusal = unavailable(RefusalReason::upstream_pending, error, std::move(identity));
  if (error.code == ErrorCode::unavailable) return refusal;
  refusal.reason = RefusalReason::upstream_refused;
  refusal.kind = error.code == ErrorCode::conflict ? RefusalKind::conflict : RefusalKind::forbidden;
  return refusal;
}

// Tells the store that somebody is on the way to it.
class OnTheWay {
 public:
  explicit OnTheWay(Registry& registry) : registry_(registry) { registry_.expect_records(1); }
  ~OnTheWay() { arrived(); }
  OnTheWay(const OnTheWay&) = delete;
  OnTheWay& operator=(const OnTheWay&) = delete;
  void arrived() {
    if (!std::exchange(arrived_, true)) registry_.expect_records(-1);
  }

 private:
  Registry& registry_;
  bool arrived_ = false;
};

std::string flag(bool value) {
  return value ? "true" : "false";
}

std::string body_of(const IssuanceRecord& record, const Enrollment& enrollment, const Fingerprint& fingerprint,
                    const std::optional<DeviceRecord>& superseded) {
  const auto event = superseded ? AuditEvent::device_superseded : AuditEvent::device_issued;
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
                     {"production", flag(record.production)},
                     {"name", record.name},
                     {"hardware_id", record.hardware_id},
                     {"station", record.station},
                     {"peer", enrollment.origin.peer_address},
                     {"proof", describe(enrollment.proof, enrollment.origin)},
                     {"superseded_serial", superseded && superseded->certificate ? superseded->certificate->serial.hex() : std::string()}});
}

std::string release_body(const DeviceIdentity& identity, const Enrollment& enrollment, Instant now) {
  return audit_body(AuditEvent::device_allowed, now,
                    {{"factory", identity.factory},
                     {"ecosystem", std::string(to_string(identity.ecosystem))},
                     {"id", identity.external_id},
                     {"reason", "registered again by somebody who may create devices"},
                     {"actor", enrollment.origin.station}});
}

}  // namespace

Result<CsrFacts> Enroller::understand(const Enrollment& enrollment) const {
  if (enrollment.gateway && enrollment.gateway->made_key) return *enrollment.gateway->made_key;
  return enrollment.csr_der.empty() ? codec_.read_csr_pem(enrollment.csr_pem) : codec_.read_csr_der(enrollment.csr_der);
}

// The order of the steps is the point; they are numbered as in docs/concepts/one-procedure.md.
Task<EnrollmentOutcome> Enroller::enroll(const Enrollment& enrollment) {
  OnTheWay on_the_way(registry_);
  // 1 understand: the CSR's own signature is verified here.
  auto facts = understand(enrollment);
  if (!facts) {
    Refusal refusal = unreadable(facts.error());
    co_return co_await refuse(enrollment, refusal);
  }
  auto examined = policy_.get()->examine(*facts, enrollment, trust_.current()->factory);
  if (auto* refusal = std::get_if<Refusal>(&examined)) co_return co_await refuse(enrollment, *refusal);

  const Applicant& applicant = std::get<Applicant>(examined);
  const CsrFacts& csr = *facts;
  on_the_way.arrived();  // in the queue it may have to wait for others
  if (desk_ == nullptr || !desk_->listens()) {
    const IdentityQueue::Turn turn = co_await queue_.enter(applicant.identity);
    co_return co_await enroll_in_turn(enrollment, applicant, csr);
  }
  EnrollmentOutcome outcome = co_await enroll_with_turn(enrollment, applicant, csr);
  co_return co_await confirm_upstream(enrollment, outcome);
}

// The turn ends before anybody waits for an upstream: a second try of the device must not queue behind that.
Task<EnrollmentOutcome> Enroller::enroll_with_turn(const Enrollment& enrollment, const Applicant& applicant, const CsrFacts& facts) {
  const IdentityQueue::Turn turn = co_await queue_.enter(applicant.identity);
  co_return co_await enroll_in_turn(enrollment, applicant, facts);
}

// Also for a replay: the device may ask again because it was told to wait.
Task<EnrollmentOutcome> Enroller::confirm_upstream(const Enrollment& enrollment, EnrollmentOutcome& outcome) {
  const auto* enrolled = std::get_if<Enrolled>(&outcome);
  if (enrolled == nullptr) co_return std::move(outcome);
  if (!enrolled->replayed) desk_->recorded();
  const RowId certificate = enrolled->certificate;
  const Status confirmed = co_await desk_->confirm(certificate);
  if (confirmed) co_return std::move(outcome);
  Refusal refusal = not_confirmed(confirmed.error(), enrolled->identity.external_id);
  co_return co_await refuse(enrollment, refusal);
}

Task<EnrollmentOutcome> Enroller::enroll_in_turn(const Enrollment& enrollment, const Applicant& applicant, const CsrFacts& facts) {
  for (int tries = 0; tries < kMaxAttempts; ++tries) {
    Attempt outcome = co_await attempt(enrollment, applicant, facts);
    if (!outcome) {
      ++conflicts_;
      continue;
    }
    if (auto* refusal = std::get_if<Refusal>(&*outcome)) co_return co_await refuse(enrollment, *refusal);
    ++(std::get<Enrolled>(*outcome).replayed ? replayed_ : issued_);
    co_return std::move(*outcome);
  }
  Refusal busy{RefusalReason::storage_unavailable,
               RefusalKind::unavailable,
               "the device's record keeps changing; try again",
               {},
               applicant.identity.external_id};
  co_return co_await refuse(enrollment, busy);
}

Task<Enroller::Attempt> Enroller::attempt(const Enrollment& enrollment, const Applicant& applicant, const CsrFacts& facts) {
  const std::string& id = applicant.identity.external_id;
  const std::shared_ptr<const TrustSnapshot> trust = trust_.current();
  auto known = registry_.find(applicant.identity);
  if (!known) co_return unavailable(RefusalReason::storage_unavailable, known.error(), id);
  auto now = clock_.trusted_now();
  if (!now) co_return unavailable(RefusalReason::clock_suspect, now.error(), id);

  // Denied, yet this door may bring it back: it is as if it had been released, and is, if nothing refuses it.
  if (*known && (*known)->status == DeviceStatus::denied && enrollment.lifts_denial) {
    (*known)->current_key.reset();
    (*known)->certificate.reset();
    (*known)->status = DeviceStatus::released;
  }
  const std::shared_ptr<const IssuancePolicy> policy = policy_.get();
  std::optional<Placement> placement;
  if (policy->asks_orders()) {
    auto placed = place(*policy, enrollment, applicant, facts, *known, *now);
    if (auto* refusal = std::get_if<Refusal>(&placed)) co_return std::move(*refusal);
    placement = std::move(std::get<Placement>(placed));
  }
  const Applicant& placed_applicant = placement ? placement->applicant : applicant;
  const auto validity = placement ? placement->validity : std::nullopt;

  // 2 replay? 3 decide
  auto decision = policy->decide(placed_applicant, facts, enrollment, *known, *trust, *now, random_, validity);
  if (auto* refusal = std::get_if<Refusal>(&decision)) co_return std::move(*refusal);
  if (std::holds_alternative<Replay>(decision)) {
    CertificateRecord& recorded = *(*known)->certificate;
    co_return Enrolled{std::move(recorded.der),
                       trust,
                       recorded.issuer,
                       applicant.identity,
                       (*known)->production,
                       true,
                       recorded.row,
                       {},
                       recorded.delivery == Delivery::unanswered};
  }
  // 4 to 6
  Approval approval = std::move(std::get<Approval>(decision));
  const Placement* order = placement ? &*placement : nullptr;
  if (order != nullptr) approval.preconditions.order = order->order;
  co_return co_await issue(enrollment, placed_applicant, std::move(approval), trust, std::move(*known), *now, order);
}

std::variant<Placement, Refusal> Enroller::place(const IssuancePolicy& policy, const Enrollment& enrollment, const Applicant& applicant,
                                                 const CsrFacts& facts, const std::optional<DeviceRecord>& known, Instant now) {
  const auto view = orders_->view(applicant.identity);
  if (!view) return unavailable(RefusalReason::storage_unavailable, view.error(), applicant.identity.external_id);
  return policy.place(applicant, facts, enrollment, known, *view, now);
}

Task<Enroller::Attempt> Enroller::issue(const Enrollment& enrollment, const Applicant& applicant, Approval approval,
                                        std::shared_ptr<const TrustSnapshot> trust, std::optional<DeviceRecord> known, Instant now,
                                        const Placement* placement) {
  OnTheWay on_the_way(registry_);
  const std::string& id = applicant.identity.external_id;
  const bool track_delivery = policy_.get()->unseen_rule_applies(enrollment.proof);
  IssuanceRecord record;
  record.identity = applicant.identity;
  record.name = enrollment.claims.name.empty() ? id : enrollment.claims.name;
  record.group = enrollment.claims.group;
  if (placement != nullptr && !placement->name.empty()) record.name = placement->name;
  if (placement != nullptr && !placement->group.empty()) record.group = placement->group;
  record.hardware_id = enrollment.claims.hardware_id;
  record.production = applicant.production;
  record.station = enrollment.origin.station;
  record.spki_sha256 = approval.plan.spki_sha256;
  record.issuer = approval.issuer->record.row;
  record.serial = approval.plan.serial;
  record.not_before = approval.plan.not_before;
  record.not_after = approval.plan.not_after;
  record.issued_at = now;
  record.delivery = track_delivery ? Delivery::unanswered : Delivery::untracked;
  if (known) {
    record.device_id = known->device_id;
  } else if (auto filled = random_.fill(record.device_id.octets); !filled) {
    co_return unavailable(RefusalReason::internal, filled.error(), id);
  }

  // 4 lint, permit
  auto permit = Linter::permit(std::move(approval.plan), *approval.issuer, *trust);
  if (!permit) co_return unavailable(RefusalReason::internal, permit.error(), id);
  BIRTHMARK_CRASH_POINT("enroll.before_sign");
  // 5 sign
  auto issued = co_await issuer_.sign(std::move(*permit), *approval.issuer->signer);
  if (!issued) co_return unavailable(RefusalReason::internal, issued.error(), id);
  BIRTHMARK_CRASH_POINT("enroll.after_sign");
  // 6 record: nothing leaves unrecorded
  record.audit_body = body_of(record, enrollment, issued->fingerprint, approval.supersedes ? known : std::nullopt);
  if (placement != nullptr && !placement->order_name.empty()) add_field(record.audit_body, {"order", placement->order_name});
  if (enrollment.gateway) {
    record.gateway = enrollment.gateway->draft;
    record.only_fingerprint = issued->fingerprint;
  } else {
    record.certificate_der = issued->der;
  }
  if (desk_ != nullptr) record.outbox = desk_->compose(record);
  on_the_way.arrived();
  Result<RecordOutcome> recorded = RecordOutcome{};
  if (auto* comebacks = enrollment.lifts_denial ? dynamic_cast<Comebacks*>(&registry_) : nullptr; comebacks != nullptr) {
    std::string release = release_body(applicant.identity, enrollment, now);
    auto outcome = co_await comebacks->record_released(std::move(record), approval.preconditions, std::move(release));
    recorded = std::move(outcome);
  } else {
    auto outcome = co_await registry_.record(std::move(record), approval.preconditions);
    recorded = std::move(outcome);
  }
  if (!recorded) co_return unavailable(RefusalReason::storage_unavailable, recorded.error(), id);
  if (recorded->conflict == RecordConflict::trust_changed) {
    // A denial or another door's CA change raised the epoch: decide again under what holds now.
    if (auto refreshed = trust_.refresh(trust->epoch); !refreshed)
      co_return unavailable(RefusalReason::storage_unavailable, refreshed.error(), id);
  }
  if (recorded->conflict == RecordConflict::upstream_has_key) {
    co_return Refusal{RefusalReason::key_conflict,
                      RefusalKind::conflict,
                      "Device(" + id + ") is already registered with another key, which the upstream may know",
                      {},
                      id};
  }
  if (recorded->conflict != RecordConflict::none) co_return std::nullopt;
  BIRTHMARK_CRASH_POINT("enroll.after_record");
  co_return Enrolled{std::move(issued->der), std::move(trust),     approval.issuer->record.row,
                     applicant.identity,     applicant.production, false,
                     recorded->certificate,  issued->fingerprint,  track_delivery};
}

Task<Status> Enroller::audit_refusal(std::string body, Instant now) {
  if (desk_ != nullptr) co_return co_await desk_->record_refusal(std::move(body), now);
  co_return co_await registry_.append_audit(std::move(body));
}

Task<EnrollmentOutcome> Enroller::refuse(const Enrollment& enrollment, Refusal refusal) {
  ++refused_;
  const bool ours = refusal.kind == RefusalKind::unavailable;
  log::write(ours ? log::Level::error : log::Level::info, "enrollment refused",
             {{"reason", std::string(to_string(refusal.reason))},
              {"id", refusal.identity},
              {"peer", enrollment.origin.peer_address},
              {"station", enrollment.origin.station},
              {"request", enrollment.origin.request},
              {"text", refusal.audit_text.empty() ? refusal.public_text : refusal.audit_text}});
  const auto now = clock_.trusted_now();
  if (now) {
    auto body = journal_.note(refusal, enrollment, trust_.current()->factory, *now);
    if (body) {
      auto written = co_await audit_refusal(std::move(*body), *now);
      if (!written) log::error("refusal not audited", {{"error", written.error().describe()}});
    }
  }
  co_return refusal;
}

EnrollmentStatistics Enroller::statistics() const {
  return {issued_, replayed_, refused_, conflicts_};
}

}  // namespace birthmark::core
