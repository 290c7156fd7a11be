// SPDX-License-Identifier: Apache-2.0
// What the writing calls about callers and approvals mean inside a transaction.
#include "store/sqlite/api_access_sql.h"
#include "store/sqlite/ledger.h"
#include "store/sqlite/rows.h"

namespace birthmark::store {
namespace {

tl::unexpected<Error> taken(const std::string& what, const std::string& id) {
  return fail(ErrorCode::conflict, "there is a " + what + " '" + id + "' already");
}
tl::unexpected<Error> unknown(const std::string& what, const std::string& id) {
  return fail(ErrorCode::not_found, "there is no " + what + " '" + id + "'");
}

}  // namespace

Result<std::int64_t> Ledger::run_text(const char* sql, const std::string& text) {
  BIRTHMARK_TRY(Statement * statement, prepared(sql));
  statement->bind(1, std::string_view(text));
  BIRTHMARK_CHECK(run(*statement));
  return connection_.changes();
}

Result<std::int64_t> Ledger::run_digest(const char* sql, const Sha256Digest& digest) {
  BIRTHMARK_TRY(Statement * statement, prepared(sql));
  statement->bind(1, digest.view());
  BIRTHMARK_CHECK(run(*statement));
  return connection_.changes();
}

// --- users and tokens ------------------------------------------------------------------------------------------------------------------

Result<core::UserRecord> Ledger::add_user(const core::UserRecord& user, const std::string& audit_body) {
  BIRTHMARK_TRY(const std::int64_t factory, factory_row(user.factory));
  {
    BIRTHMARK_TRY(Statement * row, prepared(sql::kUserExists));
    const Statement::Use use(*row);
    row->bind(1, factory);
    row->bind(2, std::string_view(user.id));
    BIRTHMARK_TRY(const bool there, step(*row));
    if (there) return taken("user", user.id);
  }
  BIRTHMARK_TRY(Statement * insert, prepared(sql::kInsertUser));
  insert->bind(1, factory);
  insert->bind(2, std::string_view(user.id));
  insert->bind(3, std::string_view(user.name));
  insert->bind(4, static_cast<std::int64_t>(user.role));
  insert->bind(5, to_unix_ms(user.created_at));
  BIRTHMARK_CHECK(run(*insert));
  BIRTHMARK_CHECK(append_audit(audit_body));
  ++state_.figures.trust_epoch;
  return user;
}

Status Ledger::remove_user(const std::string& factory, const std::string& id, Instant at, const std::string& audit_body) {
  BIRTHMARK_TRY(const std::int64_t row_of_factory, factory_row(factory));
  const auto write = [&](const char* sql, bool dated) -> Result<std::int64_t> {
    BIRTHMARK_TRY(Statement * statement, prepared(sql));
    statement->bind(1, row_of_factory);
    statement->bind(2, std::string_view(id));
    if (dated) statement->bind(3, to_unix_ms(at));
    BIRTHMARK_CHECK(run(*statement));
    return connection_.changes();
  };
  BIRTHMARK_TRY(const std::int64_t removed, write(sql::kRemoveUser, true));
  if (removed == 0) return unknown("user", id);
  BIRTHMARK_CHECK(write(sql::kRevokeClientsOf, true));
  BIRTHMARK_CHECK(write(sql::kEndGrantsOf, false));
  ++state_.figures.trust_epoch;
  return append_audit(audit_body);
}

Status Ledger::set_token_user(const std::string& token, const std::string& user_id) {
  BIRTHMARK_TRY(Statement * statement, prepared(sql::kSetTokenUser));
  statement->bind(1, std::string_view(token));
  statement->bind(2, std::string_view(user_id));
  return run(*statement);
}

Status Ledger::note_token_use(const std::string& token, Instant at) {
  BIRTHMARK_TRY(Statement * statement, prepared(sql::kNoteTokenUse));
  statement->bind(1, std::string_view(token));
  statement->bind(2, to_unix_ms(at));
  return run(*statement);
}

// --- clients and grants ----------------------------------------------------------------------------------------------------------------

Result<std::optional<core::ClientRecord>> Ledger::find_client(const std::string& id) {
  BIRTHMARK_TRY(Statement * row, prepared(sql::kClientById));
  const Statement::Use use(*row);
  row->bind(1, std::string_view(id));
  BIRTHMARK_TRY(const bool found, step(*row));
  if (!found) return std::nullopt;
  core::ClientRecord client;
  client.factory = row->text(0);
  client.id = row->text(1);
  client.secret_hash = Sha256Digest::from(row->blob(2)).value_or(Sha256Digest{});
  client.user_id = row->text(3);
  client.scopes = core::Scopes(static_cast<std::uint8_t>(row->integer(4)));
  client.created_at = from_unix_ms(row->integer(5));
  client.expires_at = read_optional_instant(*row, 6);
  client.revoked_at = read_optional_instant(*row, 7);
  return client;
}

Result<core::ClientRecord> Ledger::add_client(const core::ClientRecord& client, const std::string& audit_body) {
  BIRTHMARK_TRY(const auto there, find_client(client.id));
  if (there) return taken("client", client.id);
  BIRTHMARK_TRY(const std::int64_t factory, factory_row(client.factory));
  BIRTHMARK_TRY(Statement * insert, prepared(sql::kInsertClient));
  insert->bind(1, factory);
  insert->bind(2, std::string_view(client.id));
  insert->bind(3, client.secret_hash.view());
  insert->bind(4, std::string_view(client.user_id));
  insert->bind(5, static_cast<std::int64_t>(client.scopes.bits()));
  insert->bind(6, to_unix_ms(client.created_at));
  bind_optional_instant(*insert, 7, client.expires_at);
  BIRTHMARK_CHECK(run(*insert));
  BIRTHMARK_CHECK(append_audit(audit_body));
  return client;
}

Result<core::ClientRecord> Ledger::revoke_client(const std::string& id, Instant at, const std::string& audit_body) {
  BIRTHMARK_TRY(auto known, find_client(id));
  if (!known) return unknown("client", id);
  if (known->revoked_at) return std::move(*known);
  BIRTHMARK_TRY(Statement * update, prepared(sql::kRevokeClient));
  update->bind(1, std::string_view(id));
  update->bind(2, to_unix_ms(at));
  BIRTHMARK_CHECK(run(*update));
  BIRTHMARK_CHECK(run_text(sql::kEndGrantsOfClient, id));
  BIRTHMARK_CHECK(append_audit(audit_body));
  known->revoked_at = at;
  return std::move(*known);
}

Status Ledger::insert_grant(const core::GrantRecord& grant) {
  BIRTHMARK_TRY(const std::int64_t factory, factory_row(grant.factory));
  BIRTHMARK_TRY(Statement * insert, prepared(sql::kInsertGrant));
  insert->bind(1, factory);
  insert->bind(2, grant.hash.view());
  insert->bind(3, static_cast<std::int64_t>(grant.kind));
  insert->bind(4, std::string_view(grant.client_id));
  insert->bind(5, std::string_view(grant.device));
  insert->bind(6, std::string_view(grant.user_id));
  insert->bind(7, std::string_view(grant.bearer));
  insert->bind(8, static_cast<std::int64_t>(grant.scopes.bits()));
  insert->bind(9, to_unix_ms(grant.expires_at));
  return run(*insert);
}

Status Ledger::forget_expired(Instant now) {
  BIRTHMARK_CHECK(run_numbers(sql::kForgetGrants, to_unix_ms(now)));
  BIRTHMARK_CHECK(run_numbers(sql::kExpireAuthorizations, to_unix_ms(now)));
  return run_numbers(sql::kForgetAuthorizations, to_unix_ms(now));
}

// A client that was revoked meanwhile gets none.
Status Ledger::add_grants(const std::vector<core::GrantRecord>& grants, Instant now) {
  for (const core::GrantRecord& grant : grants) {
    if (!grant.client_id.empty()) {
      BIRTHMARK_TRY(const auto client, find_client(grant.client_id));
      if (!client || client->revoked_at) return fail(ErrorCode::forbidden, "the client's credentials are revoked");
      BIRTHMARK_TRY(Statement * note, prepared(sql::kNoteClientUse));
      note->bind(1, std::string_view(grant.client_id));
      note->bind(2, to_unix_ms(now));
      BIRTHMARK_CHECK(run(*note));
    }
    BIRTHMARK_CHECK(insert_grant(grant));
  }
  return forget_expired(now);
}

Status Ledger::end_grant(const Sha256Digest& hash) {
  BIRTHMARK_CHECK(run_digest(sql::kEndGrant, hash));
  return {};
}

// --- devices that ask --------------------------------------------------------------------------------------------------------------------

Status Ledger::add_authorization(const core::AuthorizationRecord& asked, std::size_t most_of_address, std::size_t most) {
  BIRTHMARK_CHECK(forget_expired(asked.created_at));
  {
    BIRTHMARK_TRY(Statement * row, prepared(sql::kWaitingAuthorizations));
    const Statement::Use use(*row);
    row->bind(1, std::string_view(asked.address));
    BIRTHMARK_CHECK(step(*row));
    const auto from_there = static_cast<std::size_t>(row->integer(0)), waiting = static_cast<std::size_t>(row->integer(1));
    if (from_there >= most_of_address || waiting >= most)
      return fail(ErrorCode::conflict, "too many devices wait for approval; decide about some of them, or try again later");
  }
  {
    BIRTHMARK_TRY(Statement * row, prepared(sql::kUserCodeTaken));
    const Statement::Use use(*row);
    row->bind(1, std::string_view(asked.user_code));
    BIRTHMARK_TRY(const bool there, step(*row));
    if (there) return taken("code", asked.user_code);
  }
  BIRTHMARK_TRY(const std::int64_t factory, factory_row(asked.factory));
  BIRTHMARK_TRY(Statement * insert, prepared(sql::kInsertAuthorization));
  insert->bind(1, factory);
  insert->bind(2, asked.device_code_hash.view());
  insert->bind(3, std::string_view(asked.user_code));
  insert->bind(4, std::string_view(asked.device));
  insert->bind(5, std::string_view(asked.address));
  insert->bind(6, to_unix_ms(asked.created_at));
  insert->bind(7, to_unix_ms(asked.expires_at));
  return run(*insert);
}

Result<core::AuthorizationRecord> Ledger::decide(const core::AuthorizationRecord& decided, Instant now, const std::string& audit_body) {
  BIRTHMARK_TRY(Statement * update, prepared(sql::kDecideAuthorization));
  update->bind(1, std::string_view(decided.user_code));
  update->bind(2, static_cast<std::int64_t>(decided.state));
  update->bind(3, std::string_view(decided.decided_by));
  update->bind(4, std::string_view(decided.user_id));
  update->bind(5, to_unix_ms(decided.expires_at));
  update->bind(6, to_unix_ms(now));
  BIRTHMARK_CHECK(run(*update));
  if (connection_.changes() == 0) return fail(ErrorCode::not_found, "no device waits with this code any more");
  BIRTHMARK_CHECK(append_audit(audit_body));
  return decided;
}

Status Ledger::redeem(const Sha256Digest& device_code_hash, const core::GrantRecord& grant, std::uint32_t most,
                      const std::string& audit_body) {
  BIRTHMARK_TRY(Statement * update, prepared(sql::kRedeemAuthorization));
  update->bind(1, device_code_hash.view());
  update->bind(2, static_cast<std::int64_t>(most));
  BIRTHMARK_CHECK(run(*update));
  if (connection_.changes() == 0) return fail(ErrorCode::conflict, "the device code was used already");
  BIRTHMARK_CHECK(insert_grant(grant));
  return append_audit(audit_body);
}

}  // namespace birthmark::store
