// SPDX-License-Identifier: Apache-2.0
// EVE nodes and onboarding certificates: the adapter, and what its calls mean inside a transaction.
#include "store/sqlite/sqlite_nodes.h"

#include "base/crash_point.h"
#include "base/log.h"
#include "store/sqlite/node_sql.h"
#include "store/sqlite/rows.h"
#include "store/sqlite/write_call.h"

namespace birthmark::store {

using core::NodeConflict;
using core::OnboardingCertificate;
using core::RowId;

namespace {

constexpr std::int64_t kKnocksKept = 1000;

std::string join_lines(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + '\n';
  return text;
}

std::vector<std::string> split_lines(std::string_view text) {
  std::vector<std::string> lines;
  for (std::size_t end = text.find('\n'); end != std::string_view::npos; end = text.find('\n')) {
    lines.emplace_back(text.substr(0, end));
    text.remove_prefix(end + 1);
  }
  return lines;
}

OnboardingCertificate read_onboarding(Statement& row) {
  OnboardingCertificate certificate;
  certificate.row = row.integer(0);
  certificate.factory = row.text(1);
  certificate.fingerprint = Fingerprint::from(row.blob(2)).value_or(Fingerprint{});
  certificate.name = row.text(3);
  certificate.any_serial = row.integer(4) != 0;
  certificate.globs = split_lines(row.text(5));
  if (!row.is_null(6)) certificate.places = static_cast<std::uint64_t>(row.integer(6));
  certificate.used = static_cast<std::uint64_t>(row.integer(7));
  certificate.listed = static_cast<std::uint64_t>(row.integer(8));
  certificate.expires_at = read_optional_instant(row, 9);
  certificate.revoked_at = read_optional_instant(row, 10);
  certificate.created_at = from_unix_ms(row.integer(11));
  certificate.der = to_bytes(row.blob(12));
  return certificate;
}

core::NodeRecord read_node(Statement& row) {
  core::NodeRecord node;
  node.row = row.integer(0);
  node.identity = {std::string(row.text(1)), core::Ecosystem::eve, read_external_id(row, 2)};
  node.status = static_cast<core::DeviceStatus>(row.integer(3));
  node.deleted = row.integer(4) != 0;
  node.device_id = DeviceId::from(row.blob(5)).value_or(DeviceId{});
  node.rekey_until = read_optional_instant(row, 6);
  node.onboarding = row.integer(7);
  node.registered_at = from_unix_ms(row.integer(8));
  node.certificate = Fingerprint::from(row.blob(9)).value_or(Fingerprint{});
  node.spki_der = to_bytes(row.blob(10));
  node.serial = row.text(11);
  node.hardware_serial = row.text(12);
  node.soft_serial = row.text(13);
  return node;
}

core::Knock read_knock(Statement& row) {
  core::Knock knock;
  knock.row = row.integer(0);
  knock.factory = row.text(1);
  knock.onboarding = Fingerprint::from(row.blob(2)).value_or(Fingerprint{});
  knock.serial = row.text(3);
  knock.soft_serial = row.text(4);
  knock.certificate = Fingerprint::from(row.blob(5)).value_or(Fingerprint{});
  knock.peer_address = row.text(6);
  knock.reason = row.text(7);
  knock.first_at = from_unix_ms(row.integer(8));
  knock.last_at = from_unix_ms(row.integer(9));
  knock.count = static_cast<std::uint64_t>(row.integer(10));
  knock.onboarding_der = to_bytes(row.blob(11));
  return knock;
}

template <class T>
Result<std::vector<T>> read_all(Statement& row, T (*read)(Statement&)) {
  std::vector<T> all;
  for (;;) {
    BIRTHMARK_TRY(const bool found, row.step());
    if (!found) return all;
    all.push_back(read(row));
  }
}

template <class T>
Result<std::optional<T>> read_one(Statement& row, T (*read)(Statement&)) {
  BIRTHMARK_TRY(const bool found, row.step());
  if (!found) return std::nullopt;
  return std::optional<T>(read(row));
}

void bind_optional_number(Statement& statement, int index, const std::optional<std::uint64_t>& number) {
  if (number)
    statement.bind(index, static_cast<std::int64_t>(*number));
  else
    statement.bind_null(index);
}

tl::unexpected<Error> unknown_onboarding() {
  return fail(ErrorCode::not_found, "there is no such onboarding certificate");
}

}  // namespace

// --- inside the transaction ----------------------------------------------------------------------------------------------------------

Result<std::optional<OnboardingCertificate>> Ledger::onboarding(RowId certificate) {
  BIRTHMARK_TRY(Statement * row, prepared(sql::kOnboardingByRow));
  const Statement::Use use(*row);
  row->bind(1, certificate);
  BIRTHMARK_TRY(const bool found, step(*row));
  if (!found) return std::nullopt;
  return read_onboarding(*row);
}

Result<RowId> Ledger::first_number(Statement& row) {
  BIRTHMARK_TRY(const bool found, step(row));
  return found ? row.integer(0) : 0;
}

Result<RowId> Ledger::write_onboarding(const OnboardingCertificate& certificate, std::int64_t factory, RowId known) {
  BIRTHMARK_TRY(Statement * write, prepared(known == 0 ? sql::kInsertOnboarding : sql::kUpdateOnboarding));
  const std::string globs = join_lines(certificate.globs);
  int index = 1;
  if (known == 0) {
    write->bind(index++, factory);
    write->bind(index++, certificate.fingerprint.view());
  } else {
    write->bind(index++, known);
  }
  write->bind(index++, std::string_view(certificate.name));
  write->bind(index++, std::int64_t{certificate.any_serial});
  write->bind(index++, std::string_view(globs));
  bind_optional_number(*write, index++, certificate.places);
  bind_optional_instant(*write, index++, certificate.expires_at);
  if (known == 0) {
    write->bind(index++, to_unix_ms(certificate.created_at));
    write->bind(index++, ByteView(certificate.der));
  }
  BIRTHMARK_CHECK(run(*write));
  return known == 0 ? connection_.last_row() : known;
}

Result<OnboardingCertificate> Ledger::put_onboarding(const OnboardingCertificate& certificate, const std::vector<std::string>& serials,
                                                     core::SerialList list, const std::string& audit_body) {
  BIRTHMARK_TRY(const std::int64_t factory, factory_row(certificate.factory));
  RowId known = 0, namesake = 0;
  {
    BIRTHMARK_TRY(Statement * row, prepared(sql::kOnboardingByFingerprint));
    const Statement::Use use(*row);
    row->bind(1, std::string_view(certificate.factory));
    row->bind(2, certificate.fingerprint.view());
    BIRTHMARK_TRY(known, first_number(*row));
    BIRTHMARK_TRY(Statement * named, prepared(sql::kOnboardingNamed));
    const Statement::Use named_use(*named);
    named->bind(1, factory);
    named->bind(2, std::string_view(certificate.name));
    BIRTHMARK_TRY(namesake, first_number(*named));
  }
  if (namesake != 0 && namesake != known)
    return fail(ErrorCode::conflict, "another onboarding certificate is named " + certificate.name + " already");
  BIRTHMARK_TRY(const RowId row, write_onboarding(certificate, factory, known));
  if (list == core::SerialList::replace) BIRTHMARK_CHECK(run_numbers(sql::kDeleteSerials, row));
  for (const std::string& serial : serials) {
    BIRTHMARK_TRY(Statement * insert, prepared(sql::kInsertSerial));
    insert->bind(1, row);
    insert->bind(2, std::string_view(serial));
    BIRTHMARK_CHECK(run(*insert));
  }
  BIRTHMARK_CHECK(run_numbers(sql::kCountSerials, row));
  BIRTHMARK_CHECK(append_audit(audit_body));
  BIRTHMARK_TRY(auto written, onboarding(row));
  if (!written) return unknown_onboarding();
  return std::move(*written);
}

Result<OnboardingCertificate> Ledger::revoke_onboarding(RowId certificate, Instant at, const std::string& audit_body) {
  BIRTHMARK_TRY(auto known, onboarding(certificate));
  if (!known) return unknown_onboarding();
  if (known->revoked_at) return std::move(*known);
  BIRTHMARK_CHECK(run_numbers(sql::kRevokeOnboarding, certificate, to_unix_ms(at)));
  BIRTHMARK_CHECK(append_audit(audit_body));
  known->revoked_at = at;
  return std::move(*known);
}

// Everything is looked at before anything is written: a conflict leaves no trace.
Result<NodeConflict> Ledger::record_node(const core::NodeDraft& draft, const core::Preconditions& expected) {
  const core::IssuanceRecord& issuance = draft.issuance;
  BIRTHMARK_TRY(const std::int64_t factory, factory_row(issuance.identity.factory));
  BIRTHMARK_TRY(const auto opened, onboarding(draft.onboarding));
  if (!opened) return unknown_onboarding();
  if (draft.takes_place) {
    if (opened->revoked_at || (opened->expires_at && *opened->expires_at <= issuance.issued_at)) return NodeConflict::closed;
    if (opened->places && opened->used >= *opened->places) return NodeConflict::no_place;
  }
  BIRTHMARK_TRY(const Standing found, standing(issuance.identity));
  if (draft.takes_place && found.identity != 0) return NodeConflict::changed;
  RowId holder = 0, namesake = 0;
  {
    BIRTHMARK_TRY(Statement * row, prepared(sql::kNodeOfCertificate));
    const Statement::Use use(*row);
    row->bind(1, draft.certificate.view());
    row->bind(2, factory);
    BIRTHMARK_TRY(holder, first_number(*row));
    BIRTHMARK_TRY(Statement * paired, prepared(sql::kNodeOfSerial));
    const Statement::Use paired_use(*paired);
    paired->bind(1, draft.onboarding);
    paired->bind(2, std::string_view(draft.serial));
    BIRTHMARK_TRY(namesake, first_number(*paired));
  }
  const bool free = (holder == 0 || holder == found.identity) && (namesake == 0 || namesake == found.identity);
  if (!free) return NodeConflict::changed;
  BIRTHMARK_TRY(const core::RecordOutcome outcome, record(issuance, expected));
  if (outcome.conflict != core::RecordConflict::none) return NodeConflict::changed;
  BIRTHMARK_CRASH_POINT("store.after_node_identity");
  BIRTHMARK_CHECK(write_node(draft, factory, outcome.certificate));
  return NodeConflict::none;
}

Status Ledger::write_node(const core::NodeDraft& draft, std::int64_t factory, RowId certificate) {
  BIRTHMARK_TRY(const Standing made, standing(draft.issuance.identity));
  BIRTHMARK_TRY(Statement * put, prepared(sql::kPutNode));
  put->bind(1, made.identity);
  put->bind(2, factory);
  put->bind(3, draft.onboarding);
  put->bind(4, to_unix_ms(draft.issuance.issued_at));
  put->bind(5, draft.certificate.view());
  put->bind(6, ByteView(draft.spki_der));
  put->bind(7, std::string_view(draft.serial));
  put->bind(8, std::string_view(draft.hardware_serial));
  put->bind(9, std::string_view(draft.soft_serial));
  put->bind(10, certificate);
  BIRTHMARK_CHECK(run(*put));
  if (draft.takes_place) BIRTHMARK_CHECK(run_numbers(sql::kCountOnboarding, draft.onboarding));
  BIRTHMARK_TRY(Statement * answered, prepared(sql::kDeleteKnockOf));
  answered->bind(1, draft.onboarding);
  answered->bind(2, std::string_view(draft.hardware_serial));
  answered->bind(3, std::string_view(draft.soft_serial));
  answered->bind(4, factory);
  return run(*answered);
}

Status Ledger::put_knock(const core::Knock& knock) {
  BIRTHMARK_TRY(const std::int64_t factory, factory_row(knock.factory));
  BIRTHMARK_TRY(Statement * put, prepared(sql::kPutKnock));
  put->bind(1, factory);
  put->bind(2, knock.onboarding.view());
  put->bind(3, std::string_view(knock.serial));
  put->bind(4, std::string_view(knock.soft_serial));
  put->bind(5, knock.certificate.view());
  put->bind(6, std::string_view(knock.peer_address));
  put->bind(7, std::string_view(knock.reason));
  put->bind(8, to_unix_ms(knock.last_at));
  put->bind(9, ByteView(knock.onboarding_der));
  BIRTHMARK_CHECK(run(*put));
  return run_numbers(sql::kPruneKnocks, kKnocksKept);
}

Result<std::uint64_t> Ledger::delete_knock(RowId row) {
  BIRTHMARK_CHECK(run_numbers(sql::kDeleteKnock, row));
  return static_cast<std::uint64_t>(sqlite3_changes(connection_.handle()));
}

// --- the adapter -----------------------------------------------------------------------------------------------------------------------

Task<Result<OnboardingCertificate>> SqliteNodes::put_certificate(OnboardingCertificate certificate, std::vector<std::string> serials,
                                                                 core::SerialList list, std::string audit_body) {
  return write_call<OnboardingCertificate>(
      writer_, [certificate = std::move(certificate), serials = std::move(serials), list, audit_body = std::move(audit_body)](
                   Ledger& ledger) { return ledger.put_onboarding(certificate, serials, list, audit_body); });
}

Task<Result<OnboardingCertificate>> SqliteNodes::revoke_certificate(RowId row, Instant at, std::string audit_body) {
  return write_call<OnboardingCertificate>(
      writer_, [row, at, audit_body = std::move(audit_body)](Ledger& ledger) { return ledger.revoke_onboarding(row, at, audit_body); });
}

Result<std::vector<OnboardingCertificate>> SqliteNodes::certificates(const std::string& factory) {
  return readers_.with(sql::kOnboardings, [&](Statement& row) {
    row.bind(1, std::string_view(factory));
    return read_all(row, read_onboarding);
  });
}

Result<std::optional<OnboardingCertificate>> SqliteNodes::certificate(const std::string& factory, const Fingerprint& fingerprint) {
  return readers_.with(sql::kOnboardingByFingerprint, [&](Statement& row) {
    row.bind(1, std::string_view(factory));
    row.bind(2, fingerprint.view());
    return read_one(row, read_onboarding);
  });
}

Result<bool> SqliteNodes::lists_serial(RowId certificate, const std::string& serial) {
  return readers_.with(sql::kSerialListed, [&](Statement& row) {
    row.bind(1, certificate);
    row.bind(2, std::string_view(serial));
    return row.step();
  });
}

Result<std::vector<std::string>> SqliteNodes::serials(RowId certificate, const std::string& after, std::size_t limit) {
  return readers_.with(sql::kSerialsAfter, [&](Statement& row) {
    row.bind(1, certificate);
    row.bind(2, std::string_view(after));
    row.bind(3, static_cast<std::int64_t>(limit));
    return read_all<std::string>(row, [](Statement& found) { return std::string(found.text(0)); });
  });
}

// Half a hash may, in theory, mean two nodes: then it means none.
Result<std::optional<core::NodeRecord>> SqliteNodes::by_certificate(const std::string& factory, ByteView hash) {
  if (hash.size() != 16 && hash.size() != Fingerprint::kSize) return std::nullopt;
  Fingerprint least, most;
  most.octets.fill(0xff);
  std::copy(hash.begin(), hash.end(), least.octets.begin());
  std::copy(hash.begin(), hash.end(), most.octets.begin());
  return readers_.with(sql::kNodeByCertificate, [&](Statement& row) -> Result<std::optional<core::NodeRecord>> {
    row.bind(1, least.view());
    row.bind(2, most.view());
    row.bind(3, std::string_view(factory));
    BIRTHMARK_TRY(auto found, read_one(row, read_node));
    if (!found) return std::nullopt;
    BIRTHMARK_TRY(const bool another, row.step());
    if (another) return std::nullopt;
    return found;
  });
}

Result<std::optional<core::NodeRecord>> SqliteNodes::by_serial(RowId onboarding, const std::string& serial) {
  return readers_.with(sql::kNodeBySerial, [&](Statement& row) {
    row.bind(1, onboarding);
    row.bind(2, std::string_view(serial));
    return read_one(row, read_node);
  });
}

Result<std::optional<core::NodeRecord>> SqliteNodes::by_uuid(const core::DeviceIdentity& identity) {
  return readers_.with(sql::kNodeByUuid, [&](Statement& row) {
    const ExternalIdKey key(identity.external_id);
    key.bind(row, 1);
    row.bind(2, std::string_view(identity.factory));
    return read_one(row, read_node);
  });
}

Result<Bytes> SqliteNodes::certificate_der(RowId node) {
  return readers_.with(sql::kNodeDer, [&](Statement& row) -> Result<Bytes> {
    row.bind(1, node);
    BIRTHMARK_TRY(const bool found, row.step());
    if (!found) return fail(ErrorCode::not_found, "there is no such node");
    return to_bytes(row.blob(0));
  });
}

Result<std::vector<core::NodeRecord>> SqliteNodes::list_nodes(const std::string& factory, RowId after, std::size_t limit) {
  return readers_.with(sql::kNodesAfter, [&](Statement& row) {
    row.bind(1, after);
    row.bind(2, std::string_view(factory));
    row.bind(3, static_cast<std::int64_t>(limit));
    return read_all(row, read_node);
  });
}

Task<Result<NodeConflict>> SqliteNodes::record_node(core::NodeDraft draft, core::Preconditions expected) {
  return write_call<NodeConflict>(writer_,
                                  [draft = std::move(draft), expected](Ledger& ledger) { return ledger.record_node(draft, expected); });
}

void SqliteNodes::note_knock(core::Knock knock) {
  submit_note(writer_, [knock = std::move(knock)](Ledger& ledger) { return ledger.put_knock(knock); });
}

Result<std::vector<core::Knock>> SqliteNodes::knocks(const std::string& factory, std::size_t limit) {
  return readers_.with(sql::kKnocks, [&](Statement& row) {
    row.bind(1, std::string_view(factory));
    row.bind(2, static_cast<std::int64_t>(limit));
    return read_all(row, read_knock);
  });
}

Task<Result<std::uint64_t>> SqliteNodes::forget_knock(RowId row) {
  return write_call<std::uint64_t>(writer_, [row](Ledger& ledger) { return ledger.delete_knock(row); });
}

}  // namespace birthmark::store
