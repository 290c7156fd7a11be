// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/sqlite_api_access.h"

#include "store/sqlite/api_access_sql.h"
#include "store/sqlite/rows.h"
#include "store/sqlite/write_call.h"

namespace birthmark::store {
namespace {

core::UserRecord read_user(Statement& row) {
  core::UserRecord user;
  user.factory = row.text(0);
  user.id = row.text(1);
  user.name = row.text(2);
  user.role = static_cast<core::UserRole>(row.integer(3));
  user.created_at = from_unix_ms(row.integer(4));
  user.removed_at = read_optional_instant(row, 5);
  return user;
}

core::ClientRecord read_client(Statement& row) {
  core::ClientRecord client;
  client.factory = row.text(0);
  client.id = row.text(1);
  client.secret_hash = Sha256Digest::from(row.blob(2)).value_or(Sha256Digest{});
  client.user_id = row.text(3);
  client.scopes = core::Scopes(static_cast<std::uint8_t>(row.integer(4)));
  client.created_at = from_unix_ms(row.integer(5));
  client.expires_at = read_optional_instant(row, 6);
  client.revoked_at = read_optional_instant(row, 7);
  client.last_used_at = read_optional_instant(row, 8);
  return client;
}

core::GrantRecord read_grant(Statement& row) {
  core::GrantRecord grant;
  grant.factory = row.text(0);
  grant.hash = Sha256Digest::from(row.blob(1)).value_or(Sha256Digest{});
  grant.kind = static_cast<core::GrantKind>(row.integer(2));
  grant.client_id = row.text(3);
  grant.device = row.text(4);
  grant.user_id = row.text(5);
  grant.bearer = row.text(6);
  grant.scopes = core::Scopes(static_cast<std::uint8_t>(row.integer(7)));
  grant.expires_at = from_unix_ms(row.integer(8));
  return grant;
}

core::AuthorizationRecord read_authorization(Statement& row) {
  core::AuthorizationRecord asked;
  asked.factory = row.text(0);
  asked.device_code_hash = Sha256Digest::from(row.blob(1)).value_or(Sha256Digest{});
  asked.user_code = row.text(2);
  asked.device = row.text(3);
  asked.address = row.text(4);
  asked.state = static_cast<core::AuthorizationState>(row.integer(5));
  asked.created_at = from_unix_ms(row.integer(6));
  asked.expires_at = from_unix_ms(row.integer(7));
  asked.decided_by = row.text(8);
  asked.user_id = row.text(9);
  asked.issued = static_cast<std::uint32_t>(row.integer(10));
  return asked;
}

// The first row, or nothing.
template <class Bind, class Read>
auto one(ReaderPool& readers, const char* sql, Bind bind, Read read) -> Result<std::optional<decltype(read(std::declval<Statement&>()))>> {
  using Found = std::optional<decltype(read(std::declval<Statement&>()))>;
  return readers.with(sql, [&](Statement& row) -> Result<Found> {
    bind(row);
    BIRTHMARK_TRY(const bool found, row.step());
    if (!found) return Found();
    return Found(read(row));
  });
}

template <class Read>
auto all(ReaderPool& readers, const char* sql, Read read) -> Result<std::vector<decltype(read(std::declval<Statement&>()))>> {
  using Found = std::vector<decltype(read(std::declval<Statement&>()))>;
  return readers.with(sql, [&](Statement& row) -> Result<Found> {
    Found rows;
    for (;;) {
      BIRTHMARK_TRY(const bool found, row.step());
      if (!found) return rows;
      rows.push_back(read(row));
    }
  });
}

}  // namespace

Result<std::vector<core::UserRecord>> SqliteApiAccess::users() {
  return all(readers_, sql::kUsers, read_user);
}

Task<Result<core::UserRecord>> SqliteApiAccess::add_user(core::UserRecord user, std::string audit_body) {
  return write_call<core::UserRecord>(
      writer_, [user = std::move(user), audit_body = std::move(audit_body)](Ledger& ledger) { return ledger.add_user(user, audit_body); });
}

Task<Status> SqliteApiAccess::remove_user(std::string factory, std::string id, Instant at, std::string audit_body) {
  return write_call<void>(writer_, [factory = std::move(factory), id = std::move(id), at, audit_body = std::move(audit_body)](
                                       Ledger& ledger) { return ledger.remove_user(factory, id, at, audit_body); });
}

Result<core::TokenNote> SqliteApiAccess::token_note(const std::string& token) {
  BIRTHMARK_TRY(auto note, one(
                               readers_, sql::kTokenNote, [&](Statement& row) { row.bind(1, std::string_view(token)); },
                               [](Statement& row) { return core::TokenNote{std::string(row.text(0)), read_optional_instant(row, 1)}; }));
  return note.value_or(core::TokenNote{});
}

Task<Status> SqliteApiAccess::set_token_user(std::string token, std::string user_id) {
  return write_call<void>(
      writer_, [token = std::move(token), user_id = std::move(user_id)](Ledger& ledger) { return ledger.set_token_user(token, user_id); });
}

void SqliteApiAccess::note_token_use(std::string token, Instant at) {
  submit_note(writer_, [token = std::move(token), at](Ledger& ledger) { return ledger.note_token_use(token, at); });
}

Result<std::vector<core::ClientRecord>> SqliteApiAccess::clients() {
  return all(readers_, sql::kClients, read_client);
}

Result<std::optional<core::ClientRecord>> SqliteApiAccess::client(const std::string& id) {
  return one(readers_, sql::kClientById, [&](Statement& row) { row.bind(1, std::string_view(id)); }, read_client);
}

Task<Result<core::ClientRecord>> SqliteApiAccess::add_client(core::ClientRecord client, std::string audit_body) {
  return write_call<core::ClientRecord>(writer_, [client = std::move(client), audit_body = std::move(audit_body)](Ledger& ledger) {
    return ledger.add_client(client, audit_body);
  });
}

Task<Result<core::ClientRecord>> SqliteApiAccess::revoke_client(std::string id, Instant at, std::string audit_body) {
  return write_call<core::ClientRecord>(writer_, [id = std::move(id), at, audit_body = std::move(audit_body)](Ledger& ledger) {
    return ledger.revoke_client(id, at, audit_body);
  });
}

Task<Status> SqliteApiAccess::add_grants(std::vector<core::GrantRecord> grants, Instant now) {
  return write_call<void>(writer_, [grants = std::move(grants), now](Ledger& ledger) { return ledger.add_grants(grants, now); });
}

Result<std::optional<core::GrantRecord>> SqliteApiAccess::grant(const Sha256Digest& hash) {
  return one(readers_, sql::kGrant, [&](Statement& row) { row.bind(1, hash.view()); }, read_grant);
}

Task<Status> SqliteApiAccess::end_grant(Sha256Digest hash) {
  return write_call<void>(writer_, [hash](Ledger& ledger) { return ledger.end_grant(hash); });
}

Task<Status> SqliteApiAccess::add_authorization(core::AuthorizationRecord asked, std::size_t most_of_address, std::size_t most) {
  return write_call<void>(writer_, [asked = std::move(asked), most_of_address, most](Ledger& ledger) {
    return ledger.add_authorization(asked, most_of_address, most);
  });
}

Result<std::optional<core::AuthorizationRecord>> SqliteApiAccess::authorization(const Sha256Digest& device_code_hash) {
  return one(readers_, sql::kAuthorization, [&](Statement& row) { row.bind(1, device_code_hash.view()); }, read_authorization);
}

Result<std::optional<core::AuthorizationRecord>> SqliteApiAccess::authorization_by_code(const std::string& user_code) {
  return one(readers_, sql::kAuthorizationByCode, [&](Statement& row) { row.bind(1, std::string_view(user_code)); }, read_authorization);
}

Task<Result<core::AuthorizationRecord>> SqliteApiAccess::decide(core::AuthorizationRecord decided, Instant now, std::string audit_body) {
  return write_call<core::AuthorizationRecord>(writer_, [decided = std::move(decided), now, audit_body = std::move(audit_body)](
                                                            Ledger& ledger) { return ledger.decide(decided, now, audit_body); });
}

Task<Status> SqliteApiAccess::redeem(Sha256Digest device_code_hash, core::GrantRecord grant, std::uint32_t most, std::string audit_body) {
  return write_call<void>(writer_, [device_code_hash, grant = std::move(grant), most, audit_body = std::move(audit_body)](Ledger& ledger) {
    return ledger.redeem(device_code_hash, grant, most, audit_body);
  });
}

}  // namespace birthmark::store
