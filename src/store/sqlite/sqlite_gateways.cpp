// SPDX-License-Identifier: Apache-2.0
// Gateways: the adapter, and what its calls mean inside a transaction.
#include "store/sqlite/sqlite_gateways.h"

#include <limits>

#include "store/registry_rules.h"
#include "store/sqlite/gateway_sql.h"
#include "store/sqlite/order_sql.h"
#include "store/sqlite/rows.h"
#include "store/sqlite/sql.h"
#include "store/sqlite/write_call.h"

namespace birthmark::store {

using core::CredentialState;
using core::DeviceStatus;
using core::GatewayState;
using core::RowId;

namespace {

core::GatewayRecord read_gateway(Statement& row, const std::string& factory) {
  core::GatewayRecord gateway;
  gateway.row = row.integer(0);
  gateway.identity = {factory, core::Ecosystem::izuma, read_external_id(row, 1)};
  gateway.certificate = row.integer(2);
  gateway.state = static_cast<GatewayState>(row.integer(3));
  gateway.created_at = from_unix_ms(row.integer(4));
  gateway.settled_at = read_optional_instant(row, 5);
  gateway.draft.fields = row.text(6);
  gateway.draft.verification_key = row.text(7);
  gateway.enrollment_id = row.text(8);
  gateway.draft.target = row.text(9);
  gateway.station = row.text(10);
  gateway.tenant = row.text(11);
  gateway.notes = row.text(12);
  return gateway;
}

Result<std::vector<core::GatewayRecord>> read_all(Statement& row, const std::string& factory) {
  std::vector<core::GatewayRecord> gateways;
  for (;;) {
    BIRTHMARK_TRY(const bool found, row.step());
    if (!found) return gateways;
    gateways.push_back(read_gateway(row, factory));
  }
}

}  // namespace

// --- inside the transaction ------------------------------------------------------------------------------------------------------------

Result<RowId> Ledger::write_gateway(const GatewayRow& gateway) {
  BIRTHMARK_TRY(Statement * insert, prepared(sql::kInsertGateway));
  insert->bind(1, gateway.identity);
  insert->bind(2, gateway.certificate);
  insert->bind(3, static_cast<std::int64_t>(gateway.state));
  insert->bind(4, to_unix_ms(gateway.at));
  insert->bind(5, std::string_view(gateway.draft.fields));
  insert->bind(6, std::string_view(gateway.draft.verification_key));
  insert->bind(7, std::string_view(gateway.enrollment_id));
  insert->bind(8, std::string_view(gateway.draft.target));
  if (gateway.state == GatewayState::provisioned)
    insert->bind(9, to_unix_ms(gateway.at));
  else
    insert->bind_null(9);
  BIRTHMARK_CHECK(run(*insert));
  return connection_.last_row();
}

// The gateways of that identity but one are no more.
Status Ledger::supersede_gateways(RowId identity, RowId but) {
  return run_numbers(sql::kSupersedeGateways, identity, but);
}

Result<bool> Ledger::settle_gateway(const core::GatewaySettlement& settlement) {
  BIRTHMARK_TRY(const Standing found, standing(settlement.identity));
  if (found.identity == 0) return false;
  RowId row = 0;
  {
    BIRTHMARK_TRY(Statement * find, prepared(sql::kFindIssuedGateway));
    const Statement::Use use(*find);
    find->bind(1, found.identity);
    find->bind(2, settlement.certificate);
    BIRTHMARK_TRY(const bool there, step(*find));
    if (!there) return false;
    row = find->integer(0);
  }
  const bool provisioned = !settlement.enrollment_id.empty();
  // Somebody denied or forgot the device while it was being provisioned: what the gateway holds is not wanted any more.
  const bool standing_still = found.status == DeviceStatus::active && found.certificate == settlement.certificate;
  const bool good = provisioned && standing_still;
  BIRTHMARK_TRY(Statement * update, prepared(sql::kSettleGateway));
  update->bind(1, row);
  update->bind(2, static_cast<std::int64_t>(good ? GatewayState::provisioned : GatewayState::superseded));
  update->bind(3, to_unix_ms(settlement.at));
  update->bind(4, good ? std::string_view(settlement.enrollment_id) : std::string_view());
  BIRTHMARK_CHECK(run(*update));
  BIRTHMARK_CHECK(supersede_gateways(found.identity, good ? row : 0));
  if (!standing_still) return !provisioned;
  if (!provisioned) BIRTHMARK_CHECK(free_identity(found));
  BIRTHMARK_CHECK(append_audit(settlement.audit_body));
  raise_clock(settlement.at);
  return true;
}

// As free as one that was allowed: its place in an order too.
Status Ledger::free_identity(const Standing& found) {
  BIRTHMARK_TRY(const RowId claim, claim_of(found.identity));
  if (claim != 0) {
    BIRTHMARK_CHECK(run_numbers(sql::kFreePlace, claim));
    BIRTHMARK_CHECK(set_claim(found.identity, 0));
  }
  BIRTHMARK_CHECK(set_status(found.identity, DeviceStatus::released));
  if (found.credential != 0) BIRTHMARK_CHECK(set_credential(found.credential, CredentialState::superseded));
  BIRTHMARK_CHECK(supersede_messages(found.identity));
  ++state_.figures.trust_epoch;
  return {};
}

Result<std::vector<core::ImportOutcome>> Ledger::import_gateways(const std::vector<core::ImportedGateway>& gateways) {
  for (const core::ImportedGateway& gateway : gateways) BIRTHMARK_CHECK(check_identity(gateway.device.identity));
  std::vector<core::ImportOutcome> outcomes;
  for (const core::ImportedGateway& gateway : gateways) {
    BIRTHMARK_TRY(const core::ImportOutcome outcome, import_one(gateway.device));
    outcomes.push_back(outcome);
    if (outcome != core::ImportOutcome::imported) continue;
    BIRTHMARK_TRY(const Standing made, standing(gateway.device.identity));
    const GatewayRow row{made.identity, 0, GatewayState::provisioned, gateway.device.at, gateway.draft, gateway.enrollment_id};
    BIRTHMARK_CHECK(write_gateway(row));
  }
  return outcomes;
}

Status Ledger::annotate_gateway(const core::DeviceIdentity& identity, const core::GatewayNote& note, Instant at,
                                const std::string& audit_body) {
  BIRTHMARK_TRY(const Standing found, standing(identity));
  RowId row = 0;
  {
    BIRTHMARK_TRY(Statement * find, prepared(sql::kFindProvisionedGateway));
    const Statement::Use use(*find);
    find->bind(1, found.identity);
    BIRTHMARK_TRY(const bool there, step(*find));
    if (!there) return fail(ErrorCode::not_found, "there is no provisioned gateway " + identity.external_id);
    row = find->integer(0);
  }
  BIRTHMARK_TRY(Statement * update, prepared(sql::kAnnotateGateway));
  update->bind(1, row);
  note.tenant ? update->bind(2, std::string_view(*note.tenant)) : update->bind_null(2);
  note.notes ? update->bind(3, std::string_view(*note.notes)) : update->bind_null(3);
  BIRTHMARK_CHECK(run(*update));
  BIRTHMARK_CHECK(append_audit(audit_body));
  raise_clock(at);
  return {};
}

// --- the adapter -----------------------------------------------------------------------------------------------------------------------

Result<std::optional<core::GatewayRecord>> SqliteGateways::newest(const core::DeviceIdentity& identity) {
  const auto factory = writer_.factory_row(identity.factory);
  if (!factory) return std::optional<core::GatewayRecord>();
  return readers_.with(sql::kNewestGateway, [&](Statement& row) -> Result<std::optional<core::GatewayRecord>> {
    const ExternalIdKey key(identity.external_id);
    key.bind(row, 1);
    row.bind(2, *factory);
    row.bind(3, static_cast<std::int64_t>(identity.ecosystem));
    BIRTHMARK_TRY(const bool found, row.step());
    if (!found) return std::optional<core::GatewayRecord>();
    return std::optional(read_gateway(row, identity.factory));
  });
}

Result<std::vector<core::GatewayRecord>> SqliteGateways::list(const std::string& factory, core::ListOrder order, RowId last,
                                                              std::size_t limit) {
  const auto factory_row = writer_.factory_row(factory);
  if (!factory_row) return std::vector<core::GatewayRecord>();
  const bool down = order == core::ListOrder::descending;
  if (down && last == 0) last = std::numeric_limits<RowId>::max();
  return readers_.with(down ? sql::kGatewaysDown : sql::kGatewaysUp, [&](Statement& row) -> Result<std::vector<core::GatewayRecord>> {
    row.bind(1, *factory_row);
    row.bind(2, last);
    row.bind(3, static_cast<std::int64_t>(limit));
    return read_all(row, factory);
  });
}

Result<std::vector<core::GatewayRecord>> SqliteGateways::unsettled(const std::string& factory) {
  const auto factory_row = writer_.factory_row(factory);
  if (!factory_row) return std::vector<core::GatewayRecord>();
  return readers_.with(sql::kUnsettledGateways, [&](Statement& row) -> Result<std::vector<core::GatewayRecord>> {
    row.bind(1, *factory_row);
    return read_all(row, factory);
  });
}

Task<Result<bool>> SqliteGateways::settle(core::GatewaySettlement settlement) {
  return write_call<bool>(writer_, [settlement = std::move(settlement)](Ledger& ledger) { return ledger.settle_gateway(settlement); });
}

Task<Result<std::vector<core::ImportOutcome>>> SqliteGateways::import(std::vector<core::ImportedGateway> gateways) {
  return write_call<std::vector<core::ImportOutcome>>(
      writer_, [gateways = std::move(gateways)](Ledger& ledger) { return ledger.import_gateways(gateways); });
}

Task<Status> SqliteGateways::annotate(core::DeviceIdentity identity, core::GatewayNote note, Instant at, std::string audit_body) {
  return write_call<void>(writer_, [identity = std::move(identity), note = std::move(note), at, audit_body = std::move(audit_body)](
                                       Ledger& ledger) { return ledger.annotate_gateway(identity, note, at, audit_body); });
}

}  // namespace birthmark::store
