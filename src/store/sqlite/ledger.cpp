// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/ledger.h"

#include <algorithm>

#include "base/crash_point.h"
#include "store/registry_rules.h"
#include "store/sqlite/pending_sql.h"
#include "store/sqlite/rows.h"
#include "store/sqlite/sql.h"

namespace birthmark::store {

using core::CredentialState;
using core::DeviceStatus;
using core::RecordConflict;
using core::RowId;

namespace {

std::int64_t number(auto value) {
  return static_cast<std::int64_t>(value);
}

}  // namespace

// --- state -----------------------------------------------------------------------------------------------------------------------

Result<Ledger> Ledger::load(Connection connection, const core::X509Codec& codec, IdentityFilter& filter) {
  Ledger ledger(std::move(connection), codec, filter);
  BIRTHMARK_CHECK(ledger.load_figures());
  BIRTHMARK_CHECK(ledger.load_names());
  return ledger;
}

Status Ledger::load_figures() {
  BIRTHMARK_TRY(Statement * row, prepared(sql::kReadState));
  const Statement::Use use(*row);
  BIRTHMARK_TRY(const bool found, step(*row));
  if (!found) return fail(ErrorCode::misconfigured, "the registry database has lost its state row: restore it from a backup");
  Figures& figures = state_.figures;
  figures.trust_epoch = static_cast<std::uint64_t>(row->integer(0));
  if (!row->is_null(1)) figures.clock_mark = from_unix_ms(row->integer(1));
  figures.totals.devices = static_cast<std::uint64_t>(row->integer(2));
  figures.totals.denied = static_cast<std::uint64_t>(row->integer(3));
  figures.totals.certificates = static_cast<std::uint64_t>(row->integer(4));

  BIRTHMARK_TRY(Statement * last, prepared(sql::kLastAudit));
  const Statement::Use last_use(*last);
  last->bind(1, audit_position(kAuditStream, 0));
  last->bind(2, audit_position(kAuditStream, kLastSequence));
  BIRTHMARK_TRY(const bool any, step(*last));
  figures.audit_head = {};
  figures.audit_head.stream = kAuditStream;
  if (!any) return {};
  figures.audit_head.count = audit_sequence(last->integer(0));
  figures.audit_head.hash = Sha256Digest::from(last->blob(1)).value_or(Sha256Digest{});
  return {};
}

Status Ledger::load_names() {
  BIRTHMARK_TRY(Statement * factory, prepared(sql::kFactories));
  const Statement::Use factory_use(*factory);
  for (;;) {
    BIRTHMARK_TRY(const bool found, step(*factory));
    if (!found) break;
    state_.factories.emplace(std::string(factory->text(1)), factory->integer(0));
  }
  BIRTHMARK_TRY(Statement * authority, prepared(sql::kAuthoritySerials));
  const Statement::Use authority_use(*authority);
  for (;;) {
    BIRTHMARK_TRY(const bool found, step(*authority));
    if (!found) break;
    state_.authorities.emplace(authority->integer(0), Serial::from_magnitude(authority->blob(1)).value_or(Serial{}));
  }
  BIRTHMARK_TRY(Statement * last, prepared(sql::kLastCertificate));
  const Statement::Use last_use(*last);
  BIRTHMARK_CHECK(step(*last));
  state_.last_certificate = last->integer(0);
  return {};
}

// --- the transaction around the calls ----------------------------------------------------------------------------------------------

Status Ledger::begin() {
  return run(sql::kBegin);
}

Status Ledger::commit() {
  BIRTHMARK_TRY(Statement * update, prepared(sql::kWriteState));
  const Figures& figures = state_.figures;
  update->bind(1, number(figures.trust_epoch));
  if (figures.clock_mark)
    update->bind(2, to_unix_ms(*figures.clock_mark));
  else
    update->bind_null(2);
  update->bind(3, number(figures.totals.devices));
  update->bind(4, number(figures.totals.denied));
  update->bind(5, number(figures.totals.certificates));
  BIRTHMARK_CHECK(run(*update));
  return run(sql::kCommit);
}

void Ledger::rollback() {
  // SQLite has rolled back by itself after most I/O errors.
  if (connection_.in_transaction()) static_cast<void>(connection_.execute(sql::kRollback));
  failure_code_ = SQLITE_OK;
}

Status Ledger::savepoint() {
  return run(sql::kSavepoint);
}
Status Ledger::release_savepoint() {
  return run(sql::kReleaseSavepoint);
}

Status Ledger::rollback_to_savepoint() {
  failure_code_ = SQLITE_OK;
  BIRTHMARK_CHECK(run(sql::kRollbackToSavepoint));
  return run(sql::kReleaseSavepoint);
}

Result<Statement*> Ledger::prepared(const char* sql) {
  auto statement = connection_.prepared(sql);
  if (!statement) remember_failure(sqlite3_extended_errcode(connection_.handle()), statement.error());
  return statement;
}

void Ledger::remember_failure(int code, const Error& error) {
  if (failure_code_ != SQLITE_OK) return;  // what follows is its consequence
  failure_code_ = code;
  failure_ = error;
}

Result<bool> Ledger::step(Statement& statement) {
  auto row = statement.step();
  if (!row) remember_failure(statement.failure_code(), row.error());
  return row;
}

Status Ledger::run(Statement& statement) {
  auto done = statement.run();
  if (!done) remember_failure(statement.failure_code(), done.error());
  return done;
}

Status Ledger::run(const char* sql) {
  BIRTHMARK_TRY(Statement * statement, prepared(sql));
  return run(*statement);
}

// --- enrollment --------------------------------------------------------------------------------------------------------------------

Result<core::RecordOutcome> Ledger::record(const core::IssuanceRecord& issuance, const core::Preconditions& expected,
                                           const std::string& release_body) {
  BIRTHMARK_CHECK(check_identity(issuance.identity));
  if (!state_.authorities.contains(issuance.issuer)) return unknown_issuer(issuance.issuer);
  BIRTHMARK_TRY(Standing found, standing(issuance.identity));
  const Standing before = found;
  const bool lifts_denial = !release_body.empty() && found.identity != 0 && found.status == DeviceStatus::denied;
  if (lifts_denial) found = released(before);
  BIRTHMARK_TRY(const RecordConflict conflict, check(found, issuance, expected));
  if (conflict != RecordConflict::none) return core::RecordOutcome{conflict, 0};
  if (lifts_denial) BIRTHMARK_CHECK(release_denied(before, release_body));
  bool place_taken = false;
  if (expected.order) {
    BIRTHMARK_TRY(const bool has_room, take_place(found.identity, *expected.order, issuance.issued_at, place_taken));
    if (!has_room) return core::RecordOutcome{RecordConflict::order_refused, 0};
    BIRTHMARK_CRASH_POINT("store.after_place");
  }

  const RowId certificate = ++state_.last_certificate;
  BIRTHMARK_TRY(const RowId identity, write_identity(found, issuance));
  if (place_taken) BIRTHMARK_CHECK(set_claim(identity, *expected.order));
  BIRTHMARK_TRY(const RowId credential, write_credential(found, identity, issuance.spki_sha256, certificate));
  BIRTHMARK_CHECK(write_certificate(certificate, credential, issuance));
  if (!issuance.outbox.empty()) BIRTHMARK_CHECK(write_messages(identity, certificate, issuance));
  if (issuance.gateway) {
    const GatewayRow row{identity, certificate, core::GatewayState::issued, issuance.issued_at, *issuance.gateway, {}};
    BIRTHMARK_CHECK(write_gateway(row));
  }
  BIRTHMARK_CHECK(append_audit(issuance.audit_body));
  raise_clock(issuance.issued_at);
  return core::RecordOutcome{RecordConflict::none, certificate};
}

Result<Ledger::Standing> Ledger::standing(const core::DeviceIdentity& identity) {
  Standing found;
  if (filter_->surely_absent(identity)) return found;
  const auto factory = state_.factories.find(identity.factory);
  if (factory == state_.factories.end()) return found;
  BIRTHMARK_TRY(Statement * row, prepared(sql::kFindStanding));
  const Statement::Use use(*row);
  const ExternalIdKey key(identity.external_id);
  key.bind(*row, 1);
  row->bind(2, factory->second);
  row->bind(3, number(identity.ecosystem));
  BIRTHMARK_TRY(const bool known, step(*row));
  if (!known) return found;
  found.identity = row->integer(0);
  found.status = static_cast<DeviceStatus>(row->integer(1));
  found.credential = row->integer(3);
  if (!row->is_null(4)) found.key = SpkiHash::from(row->blob(4));
  found.certificate = row->integer(5);
  found.delivery = static_cast<core::Delivery>(row->integer(6));
  if (!row->is_null(7)) found.rekey_until = from_unix_ms(row->integer(7));
  return found;
}

Result<RecordConflict> Ledger::check(const Standing& found, const core::IssuanceRecord& issuance, const core::Preconditions& expected) {
  const RegistryView view{.denied = found.identity != 0 && found.status == DeviceStatus::denied,
                          .current_key = found.key,
                          .newest_certificate = found.certificate,
                          .delivery = found.delivery,
                          .rekey_allowed = found.rekey_until && *found.rekey_until >= issuance.issued_at,
                          .trust_epoch = state_.figures.trust_epoch};
  const RecordConflict conflict = check_preconditions(view, expected);
  if (conflict != RecordConflict::none) return conflict;
  if (expected.unseen_certificate) {
    BIRTHMARK_TRY(const bool known_upstream, upstream_may_know(found.identity));
    if (known_upstream) return RecordConflict::upstream_has_key;
  }
  BIRTHMARK_TRY(const bool taken, serial_taken(issuance.issuer, issuance.serial));
  return taken ? RecordConflict::serial_taken : RecordConflict::none;
}

// Serials begin with time, so that almost every one is larger than all before it and need not be looked up.
Result<bool> Ledger::serial_taken(RowId issuer, const Serial& serial) {
  const ByteView largest = state_.authorities.at(issuer).magnitude();
  const ByteView asked = serial.magnitude();
  if (std::lexicographical_compare(largest.begin(), largest.end(), asked.begin(), asked.end())) return false;
  BIRTHMARK_TRY(Statement * row, prepared(sql::kSerialExists));
  const Statement::Use use(*row);
  row->bind(1, issuer);
  row->bind(2, serial.magnitude());
  return step(*row);
}

Result<RowId> Ledger::write_identity(const Standing& found, const core::IssuanceRecord& issuance) {
  if (found.identity != 0) {
    BIRTHMARK_TRY(Statement * update, prepared(sql::kUpdateIdentity));
    update->bind(1, found.identity);
    update->bind(2, issuance.device_id.view());
    update->bind(3, std::string_view(issuance.name));
    update->bind(4, std::string_view(issuance.hardware_id));
    update->bind(5, number(issuance.production));
    update->bind(6, std::string_view(issuance.station));
    update->bind(7, std::string_view(issuance.group));
    BIRTHMARK_CHECK(run(*update));
    return found.identity;
  }
  BIRTHMARK_TRY(const std::int64_t factory, factory_row(issuance.identity.factory));
  BIRTHMARK_TRY(Statement * insert, prepared(sql::kInsertIdentity));
  const ExternalIdKey key(issuance.identity.external_id);
  key.bind(*insert, 1);
  insert->bind(2, factory);
  insert->bind(3, number(issuance.identity.ecosystem));
  insert->bind(4, number(DeviceStatus::active));
  insert->bind(5, to_unix_ms(issuance.issued_at));
  insert->bind(6, issuance.device_id.view());
  insert->bind(7, std::string_view(issuance.name));
  insert->bind(8, std::string_view(issuance.hardware_id));
  insert->bind(9, number(issuance.production));
  insert->bind(10, std::string_view(issuance.station));
  insert->bind(11, std::string_view(issuance.group));
  filter_->add(issuance.identity);  // before anybody could see the row
  BIRTHMARK_CHECK(run(*insert));
  ++state_.figures.totals.devices;
  return connection_.last_row();
}

// The same key again stays under its credential; another key takes its place, and the one before is superseded.
Result<RowId> Ledger::write_credential(const Standing& found, RowId identity, const SpkiHash& key, RowId certificate) {
  if (found.key == key) {
    BIRTHMARK_TRY(Statement * update, prepared(sql::kSetNewestCertificate));
    update->bind(1, found.credential);
    update->bind(2, certificate);
    BIRTHMARK_CHECK(run(*update));
    return found.credential;
  }
  if (found.credential != 0) {
    BIRTHMARK_CHECK(set_credential(found.credential, CredentialState::superseded));
    BIRTHMARK_CHECK(supersede_messages(identity));
    ++state_.figures.trust_epoch;  // whoever remembers the earlier key must forget it
  }
  if (found.identity != 0) {  // a key on its way was asked for with the key before: it goes with that one
    BIRTHMARK_TRY(Statement * pending, prepared(sql::kSupersedePending));
    pending->bind(1, identity);
    BIRTHMARK_CHECK(run(*pending));
  }
  BIRTHMARK_TRY(Statement * insert, prepared(sql::kInsertCredential));
  insert->bind(1, identity);
  insert->bind(2, key.view());
  insert->bind(3, certificate);
  BIRTHMARK_CHECK(run(*insert));
  return connection_.last_row();
}

Status Ledger::write_certificate(RowId certificate, RowId credential, const core::IssuanceRecord& issuance) {
  BIRTHMARK_TRY(Statement * insert, prepared(sql::kInsertCertificate));
  insert->bind(1, credential);
  insert->bind(2, issuance.issuer);
  insert->bind(3, issuance.serial.magnitude());
  insert->bind(4, to_unix_ms(issuance.not_before));
  insert->bind(5, to_unix_ms(issuance.not_after));
  insert->bind(6, to_unix_ms(issuance.issued_at));
  insert->bind(7, number(issuance.delivery));
  insert->bind(8, std::string_view(issuance.station));
  insert->bind(9, certificate);
  BIRTHMARK_CHECK(run(*insert));
  BIRTHMARK_TRY(Statement * insert_der, prepared(sql::kInsertCertificateDer));
  insert_der->bind(1, certificate);
  insert_der->bind(2, issuance.only_fingerprint ? issuance.only_fingerprint->view() : ByteView(issuance.certificate_der));
  BIRTHMARK_CHECK(run(*insert_der));
  ++state_.figures.totals.certificates;
  const ByteView serial = issuance.serial.magnitude();
  Serial& largest = state_.authorities.at(issuance.issuer);
  const ByteView before = largest.magnitude();
  if (std::lexicographical_compare(before.begin(), before.end(), serial.begin(), serial.end())) largest = issuance.serial;
  return {};
}

Status Ledger::raise_delivery(RowId certificate, core::Delivery delivery) {
  BIRTHMARK_TRY(Statement * update, prepared(sql::kRaiseDelivery));
  update->bind(1, certificate);
  update->bind(2, number(delivery));
  return run(*update);
}

// --- the deny list -----------------------------------------------------------------------------------------------------------------

Result<core::DeviceRecord> Ledger::deny(const core::DeviceIdentity& identity, Instant at, const std::string& audit_body) {
  BIRTHMARK_CHECK(check_identity(identity));
  BIRTHMARK_TRY(const Standing found, standing(identity));
  if (found.identity == 0) {
    BIRTHMARK_CHECK(insert_denied(identity, at));
  } else if (found.status != DeviceStatus::denied) {
    BIRTHMARK_CHECK(deny_known(found, false));
  }
  BIRTHMARK_CHECK(append_audit(audit_body));
  ++state_.figures.trust_epoch;
  raise_clock(at);
  return device(identity);
}

Status Ledger::deny_known(const Standing& found, bool deleted) {
  BIRTHMARK_CHECK(set_status(found.identity, DeviceStatus::denied, deleted));
  if (found.status == DeviceStatus::denied) return {};
  if (found.credential != 0) BIRTHMARK_CHECK(set_credential(found.credential, CredentialState::denied));
  ++state_.figures.totals.denied;
  return supersede_messages(found.identity);
}

Result<core::DeviceRecord> Ledger::remove(const core::DeviceIdentity& identity, Instant at, const std::string& audit_body) {
  BIRTHMARK_TRY(const Standing found, standing(identity));
  if (found.identity == 0) return unknown_device(identity);
  BIRTHMARK_CHECK(deny_known(found, true));
  BIRTHMARK_CHECK(append_audit(audit_body));
  ++state_.figures.trust_epoch;
  raise_clock(at);
  return device(identity);
}

Result<core::DeviceRecord> Ledger::change(const core::DeviceIdentity& identity, const core::DeviceChange& change, Instant at,
                                          const std::string& audit_body) {
  BIRTHMARK_TRY(const Standing found, standing(identity));
  if (found.identity == 0) return unknown_device(identity);
  const bool about_key = change.forget_key || change.rekey_until;
  if (about_key && found.status == DeviceStatus::denied) return is_denied(identity);
  if (about_key && found.credential == 0) return has_no_key(identity);
  BIRTHMARK_CHECK(write_change(found.identity, change));
  if (change.forget_key) {
    BIRTHMARK_CHECK(set_status(found.identity, DeviceStatus::released));
    BIRTHMARK_CHECK(set_credential(found.credential, CredentialState::superseded));
    BIRTHMARK_CHECK(supersede_messages(found.identity));
  }
  BIRTHMARK_CHECK(append_audit(audit_body));
  if (about_key || change.group) ++state_.figures.trust_epoch;  // the gateway remembers both
  raise_clock(at);
  return device(identity);
}

Status Ledger::write_change(RowId identity, const core::DeviceChange& change) {
  BIRTHMARK_TRY(Statement * update, prepared(sql::kChangeIdentity));
  const auto bind_text = [update](int index, const std::optional<std::string>& text) {
    if (text)
      update->bind(index, std::string_view(*text));
    else
      update->bind_null(index);
  };
  update->bind(1, identity);
  bind_text(2, change.name);
  bind_text(3, change.group);
  if (change.rekey_until)
    update->bind(4, to_unix_ms(*change.rekey_until));
  else
    update->bind_null(4);
  return run(*update);
}

Status Ledger::insert_denied(const core::DeviceIdentity& identity, Instant at) {
  BIRTHMARK_TRY(const std::int64_t factory, factory_row(identity.factory));
  BIRTHMARK_TRY(Statement * insert, prepared(sql::kInsertIdentity));
  const ExternalIdKey key(identity.external_id);
  key.bind(*insert, 1);
  insert->bind(2, factory);
  insert->bind(3, number(identity.ecosystem));
  insert->bind(4, number(DeviceStatus::denied));
  insert->bind(5, to_unix_ms(at));
  insert->bind_null(6);
  insert->bind(7, std::string_view());
  insert->bind(8, std::string_view());
  insert->bind(9, std::int64_t{0});
  insert->bind(10, std::string_view());
  insert->bind(11, std::string_view());
  filter_->add(identity);
  BIRTHMARK_CHECK(run(*insert));
  ++state_.figures.totals.devices;
  ++state_.figures.totals.denied;
  return {};
}

Result<core::DeviceRecord> Ledger::allow(const core::DeviceIdentity& identity, Instant at, const std::string& audit_body) {
  BIRTHMARK_TRY(const Standing found, standing(identity));
  if (found.identity == 0) return unknown_device(identity);
  if (found.status != DeviceStatus::denied) return not_denied(identity);
  BIRTHMARK_CHECK(release_denied(found, audit_body));
  raise_clock(at);
  return device(identity);
}

Status Ledger::release_denied(const Standing& found, const std::string& audit_body) {
  BIRTHMARK_CHECK(set_status(found.identity, DeviceStatus::released));
  if (found.credential != 0) BIRTHMARK_CHECK(set_credential(found.credential, CredentialState::superseded));
  --state_.figures.totals.denied;
  BIRTHMARK_CHECK(append_audit(audit_body));
  ++state_.figures.trust_epoch;
  return {};
}

// How an identity stands once it is released: known, without a key.
Ledger::Standing Ledger::released(const Standing& found) {
  Standing standing;
  standing.identity = found.identity;
  standing.status = DeviceStatus::released;
  return standing;
}

Status Ledger::set_status(RowId identity, DeviceStatus status, bool deleted) {
  BIRTHMARK_TRY(Statement * update, prepared(sql::kSetIdentityStatus));
  update->bind(1, identity);
  update->bind(2, number(status));
  update->bind(3, number(deleted));
  return run(*update);
}

Status Ledger::set_credential(RowId credential, CredentialState state) {
  BIRTHMARK_TRY(Statement * update, prepared(sql::kSetCredentialState));
  update->bind(1, credential);
  update->bind(2, number(state));
  return run(*update);
}

Result<core::DeviceRecord> Ledger::device(const core::DeviceIdentity& identity) {
  BIRTHMARK_TRY(Statement * row, prepared(sql::kFindDevice));
  const Statement::Use use(*row);
  const ExternalIdKey key(identity.external_id);
  key.bind(*row, 1);
  row->bind(2, state_.factories.find(identity.factory)->second);
  row->bind(3, number(identity.ecosystem));
  BIRTHMARK_TRY(const bool found, step(*row));
  if (!found) return fail(ErrorCode::internal, "a device that was just written is not there", identity.external_id);
  return read_device(*row, identity);
}

// --- trust, audit, clock -----------------------------------------------------------------------------------------------------------

Status Ledger::apply(const core::TrustChange& change) {
  for (const auto& authority : change.upserts)
    if (authority.row != 0 && !state_.authorities.contains(authority.row)) return unknown_authority(authority.row);
  for (const auto& authority : change.upserts) BIRTHMARK_CHECK(write_authority(authority));
  for (const auto& body : change.audit_bodies) BIRTHMARK_CHECK(append_audit(body));
  ++state_.figures.trust_epoch;
  return {};
}

Status Ledger::write_authority(const core::AuthorityRecord& authority) {
  if (authority.row != 0) {
    BIRTHMARK_TRY(Statement * update, prepared(sql::kSetAuthorityState));
    update->bind(1, authority.row);
    update->bind(2, number(authority.state));
    update->bind(3, to_unix_ms(authority.changed_at));
    return run(*update);
  }
  BIRTHMARK_TRY(const std::int64_t factory, factory_row(authority.factory));
  BIRTHMARK_TRY(Statement * insert, prepared(sql::kInsertAuthority));
  insert->bind(1, factory);
  insert->bind(2, number(authority.role));
  insert->bind(3, number(authority.state));
  insert->bind(4, to_unix_ms(authority.changed_at));
  insert->bind(5, ByteView(authority.der));
  BIRTHMARK_CHECK(run(*insert));
  state_.authorities.emplace(connection_.last_row(), Serial{});
  return {};
}

Result<std::int64_t> Ledger::factory_row(const std::string& name) {
  const auto known = state_.factories.find(name);
  if (known != state_.factories.end()) return known->second;
  BIRTHMARK_TRY(Statement * insert, prepared(sql::kInsertFactory));
  insert->bind(1, std::string_view(name));
  BIRTHMARK_CHECK(run(*insert));
  const std::int64_t row = connection_.last_row();
  state_.factories.emplace(name, row);
  return row;
}

Status Ledger::append_audit(const std::string& body) {
  core::AuditHead& head = state_.figures.audit_head;
  const std::uint64_t sequence = head.count + 1;
  const Sha256Digest hash = core::audit_link(*codec_, head.stream, sequence, head.hash, body);
  BIRTHMARK_TRY(Statement * insert, prepared(sql::kInsertAudit));
  insert->bind(1, audit_position(head.stream, sequence));
  insert->bind(2, hash.view());
  insert->bind(3, std::string_view(body));
  BIRTHMARK_CHECK(run(*insert));
  head.count = sequence;
  head.hash = hash;
  return {};
}

Status Ledger::accept_clock(Instant now, const std::string& audit_body) {
  BIRTHMARK_CHECK(append_audit(audit_body));
  state_.figures.clock_mark = now;
  return {};
}

void Ledger::raise_clock(Instant now) {
  auto& mark = state_.figures.clock_mark;
  mark = mark ? std::max(*mark, now) : now;
}

}  // namespace birthmark::store
