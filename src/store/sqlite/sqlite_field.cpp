// SPDX-License-Identifier: Apache-2.0
// The field's logs and keys on their way: the adapter, and what its calls mean inside a transaction.
#include "store/sqlite/sqlite_field.h"

#include <algorithm>

#include "store/registry_rules.h"
#include "store/sqlite/rows.h"
#include "store/sqlite/sql.h"
#include "store/sqlite/write_call.h"

namespace birthmark::store {

using core::CredentialState;
using core::RecordConflict;
using core::RecordOutcome;
using core::RowId;

namespace {

core::FieldEntry read_field_entry(Statement& row) {
  core::FieldEntry entry;
  entry.row = row.integer(0);
  entry.at = from_unix_ms(row.integer(1));
  entry.body = std::string(as_text(row.blob(2)));
  return entry;
}

}  // namespace

// --- logs, inside the transaction ------------------------------------------------------------------------------------------------------

Result<std::optional<core::FieldEntry>> Ledger::newest_field(const core::FieldKey& key, std::int64_t factory) {
  BIRTHMARK_TRY(Statement * row, prepared(sql::kFieldNewest));
  const Statement::Use use(*row);
  row->bind(1, std::string_view(key.owner));
  row->bind(2, std::string_view(key.kind));
  row->bind(3, factory);
  row->bind(4, std::int64_t{1});
  BIRTHMARK_TRY(const bool found, step(*row));
  if (!found) return std::nullopt;
  return read_field_entry(*row);
}

Result<core::FieldEntry> Ledger::append_field(const core::FieldAppend& append) {
  const core::FieldKey& key = append.key;
  BIRTHMARK_TRY(const std::int64_t factory, factory_row(key.factory));
  BIRTHMARK_TRY(auto newest, newest_field(key, factory));
  if (append.expected_newest && *append.expected_newest != (newest ? newest->row : 0)) return field_changed(key);
  core::FieldEntry entry = newest.value_or(core::FieldEntry{});
  for (const std::string& body : append.bodies) {
    entry.at = field_time(append, newest ? std::optional(entry.at) : std::nullopt);
    BIRTHMARK_TRY(Statement * insert, prepared(sql::kInsertField));
    insert->bind(1, factory);
    insert->bind(2, to_unix_ms(entry.at));
    insert->bind(3, std::string_view(key.owner));
    insert->bind(4, std::string_view(key.kind));
    insert->bind(5, as_bytes(body));
    BIRTHMARK_CHECK(run(*insert));
    entry.row = connection_.last_row();
    entry.body = body;
    newest = entry;
  }
  BIRTHMARK_TRY(Statement * prune, prepared(sql::kPruneField));
  prune->bind(1, std::string_view(key.owner));
  prune->bind(2, std::string_view(key.kind));
  prune->bind(3, factory);
  prune->bind(4, static_cast<std::int64_t>(append.keep));
  BIRTHMARK_CHECK(run(*prune));
  if (!append.audit_body.empty()) BIRTHMARK_CHECK(append_audit(append.audit_body));
  return entry;
}

Status Ledger::note_contact(const core::Contact& contact) {
  BIRTHMARK_TRY(Statement * update, prepared(sql::kNoteContact));
  update->bind(1, contact.device);
  update->bind(2, to_unix_ms(contact.at));
  return run(*update);
}

// --- keys on their way, inside the transaction -------------------------------------------------------------------------------------------

Result<Ledger::Pending> Ledger::pending_of(RowId identity) {
  Pending pending;
  BIRTHMARK_TRY(Statement * row, prepared(sql::kPendingCredential));
  const Statement::Use use(*row);
  row->bind(1, identity);
  BIRTHMARK_TRY(const bool found, step(*row));
  if (!found) return pending;
  pending.credential = row->integer(0);
  pending.certificate = row->integer(1);
  pending.key = SpkiHash::from(row->blob(2));
  return pending;
}

Result<RecordOutcome> Ledger::record_pending(const core::IssuanceRecord& issuance, const core::Preconditions& expected) {
  BIRTHMARK_CHECK(check_identity(issuance.identity));
  if (!state_.authorities.contains(issuance.issuer)) return unknown_issuer(issuance.issuer);
  BIRTHMARK_TRY(const Standing found, standing(issuance.identity));
  BIRTHMARK_TRY(const RecordConflict conflict, check(found, issuance, expected));
  if (conflict != RecordConflict::none) return RecordOutcome{conflict, 0};
  if (found.credential == 0 || found.key == issuance.spki_sha256) return RecordOutcome{RecordConflict::identity_changed, 0};

  BIRTHMARK_TRY(Pending pending, pending_of(found.identity));
  const RowId certificate = ++state_.last_certificate;
  if (pending.credential != 0 && pending.key != issuance.spki_sha256) {
    BIRTHMARK_CHECK(set_credential(pending.credential, CredentialState::superseded));
    pending.credential = 0;
  }
  if (pending.credential != 0) {
    BIRTHMARK_TRY(Statement * update, prepared(sql::kSetNewestCertificate));
    update->bind(1, pending.credential);
    update->bind(2, certificate);
    BIRTHMARK_CHECK(run(*update));
  } else {
    BIRTHMARK_TRY(Statement * insert, prepared(sql::kInsertPendingCredential));
    insert->bind(1, found.identity);
    insert->bind(2, issuance.spki_sha256.view());
    insert->bind(3, certificate);
    BIRTHMARK_CHECK(run(*insert));
    pending.credential = connection_.last_row();
  }
  BIRTHMARK_CHECK(write_certificate(certificate, pending.credential, issuance));
  BIRTHMARK_CHECK(append_audit(issuance.audit_body));
  raise_clock(issuance.issued_at);
  return RecordOutcome{RecordConflict::none, certificate};
}

Result<RecordOutcome> Ledger::promote(const core::DeviceIdentity& identity, const core::PendingKey& asked,
                                      const core::Preconditions& expected, Instant at, const std::string& audit_body) {
  BIRTHMARK_TRY(const Standing found, standing(identity));
  const RegistryView view{.denied = found.identity != 0 && found.status == core::DeviceStatus::denied,
                          .current_key = found.key,
                          .newest_certificate = found.certificate,
                          .delivery = found.delivery,
                          .trust_epoch = state_.figures.trust_epoch};
  const RecordConflict conflict = check_preconditions(view, expected);
  if (conflict != RecordConflict::none) return RecordOutcome{conflict, 0};
  BIRTHMARK_TRY(const Pending pending, pending_of(found.identity));
  if (pending.credential == 0 || pending.key != asked.spki_sha256 || pending.certificate != asked.certificate.row)
    return RecordOutcome{RecordConflict::identity_changed, 0};
  if (found.credential != 0) BIRTHMARK_CHECK(set_credential(found.credential, CredentialState::superseded));
  BIRTHMARK_CHECK(supersede_messages(found.identity));
  BIRTHMARK_CHECK(set_credential(pending.credential, CredentialState::current));
  BIRTHMARK_CHECK(raise_delivery(pending.certificate, core::Delivery::presented));
  BIRTHMARK_CHECK(append_audit(audit_body));
  ++state_.figures.trust_epoch;
  raise_clock(at);
  return RecordOutcome{RecordConflict::none, pending.certificate};
}

// --- the adapter -----------------------------------------------------------------------------------------------------------------------

Task<Result<core::FieldEntry>> SqliteField::append(core::FieldAppend append) {
  const bool watched = append.strictly_later;
  auto write = [append = std::move(append)](Ledger& ledger) { return ledger.append_field(append); };
  auto written = co_await write_call<core::FieldEntry>(writer_, std::move(write));
  if (watched) generation_.fetch_add(1, std::memory_order_release);
  co_return std::move(written);
}

void SqliteField::note(core::FieldAppend append) {
  submit_note(writer_, [append = std::move(append)](Ledger& ledger) -> Status {
    BIRTHMARK_CHECK(ledger.append_field(append));
    return {};
  });
}

void SqliteField::note_contacts(std::vector<core::Contact> contacts) {
  if (contacts.empty()) return;
  submit_note(writer_, [contacts = std::move(contacts)](Ledger& ledger) -> Status {
    for (const core::Contact& contact : contacts) BIRTHMARK_CHECK(ledger.note_contact(contact));
    return {};
  });
}

Result<std::vector<core::FieldEntry>> SqliteField::newest(const core::FieldKey& key, std::size_t limit) {
  const auto factory = writer_.factory_row(key.factory);
  if (!factory) return std::vector<core::FieldEntry>{};
  return readers_.with(sql::kFieldNewest, [&](Statement& row) -> Result<std::vector<core::FieldEntry>> {
    row.bind(1, std::string_view(key.owner));
    row.bind(2, std::string_view(key.kind));
    row.bind(3, *factory);
    row.bind(4, static_cast<std::int64_t>(limit));
    std::vector<core::FieldEntry> entries;
    for (;;) {
      BIRTHMARK_TRY(const bool found, row.step());
      if (!found) return entries;
      entries.push_back(read_field_entry(row));
    }
  });
}

Result<std::vector<std::string>> SqliteField::kinds(const std::string& factory, const std::string& owner, const std::string& prefix,
                                                    std::size_t limit) {
  const auto factory_row = writer_.factory_row(factory);
  if (!factory_row) return std::vector<std::string>{};
  return readers_.with(sql::kFieldKinds, [&](Statement& row) -> Result<std::vector<std::string>> {
    row.bind(1, std::string_view(owner));
    row.bind(2, std::string_view(prefix));
    row.bind(3, *factory_row);
    row.bind(4, static_cast<std::int64_t>(limit));
    std::vector<std::string> kinds;
    for (;;) {
      BIRTHMARK_TRY(const bool found, row.step());
      if (!found) return kinds;
      std::string kind(row.text(0));
      if (!kind.starts_with(prefix)) return kinds;
      kinds.push_back(std::move(kind));
    }
  });
}

Task<Result<RecordOutcome>> SqliteField::record_pending(core::IssuanceRecord issuance, core::Preconditions preconditions) {
  return write_call<RecordOutcome>(
      writer_, [issuance = std::move(issuance), preconditions](Ledger& ledger) { return ledger.record_pending(issuance, preconditions); });
}

Task<Result<RecordOutcome>> SqliteField::promote(core::DeviceIdentity identity, core::PendingKey pending, core::Preconditions preconditions,
                                                 Instant at, std::string audit_body) {
  return write_call<RecordOutcome>(
      writer_, [identity = std::move(identity), pending = std::move(pending), preconditions, at, audit_body = std::move(audit_body)](
                   Ledger& ledger) { return ledger.promote(identity, pending, preconditions, at, audit_body); });
}

Result<std::optional<core::PendingKey>> SqliteField::pending_key(const core::DeviceIdentity& identity) {
  const auto factory = writer_.factory_row(identity.factory);
  if (!factory) return std::nullopt;
  return readers_.with(sql::kPendingKey, [&](Statement& row) -> Result<std::optional<core::PendingKey>> {
    const ExternalIdKey key(identity.external_id);
    key.bind(row, 1);
    row.bind(2, *factory);
    row.bind(3, static_cast<std::int64_t>(identity.ecosystem));
    BIRTHMARK_TRY(const bool found, row.step());
    if (!found) return std::nullopt;
    core::PendingKey pending;
    pending.spki_sha256 = SpkiHash::from(row.blob(0)).value_or(SpkiHash{});
    pending.certificate.row = row.integer(1);
    pending.certificate.issuer = row.integer(2);
    pending.certificate.serial = Serial::from_magnitude(row.blob(3)).value_or(Serial{});
    pending.certificate.not_before = from_unix_ms(row.integer(4));
    pending.certificate.not_after = from_unix_ms(row.integer(5));
    pending.certificate.issued_at = from_unix_ms(row.integer(6));
    pending.certificate.der = to_bytes(row.blob(7));
    return pending;
  });
}

}  // namespace birthmark::store
