// SPDX-License-Identifier: Apache-2.0
// Tokens: the adapter, and what its calls mean inside a transaction.
#include "store/sqlite/sqlite_tokens.h"

#include "store/registry_rules.h"
#include "store/sqlite/rows.h"
#include "store/sqlite/sql.h"
#include "store/sqlite/write_call.h"

namespace birthmark::store {
namespace {

core::TokenRecord read_token(Statement& row) {
  core::TokenRecord token;
  token.factory = row.text(0);
  token.hash = Sha256Digest::from(row.blob(1)).value_or(Sha256Digest{});
  token.scopes = core::Scopes(static_cast<std::uint8_t>(row.integer(2)));
  token.station = row.text(3);
  token.created_at = from_unix_ms(row.integer(4));
  token.expires_at = read_optional_instant(row, 5);
  token.revoked_at = read_optional_instant(row, 6);
  return token;
}

}  // namespace

// --- inside the transaction ----------------------------------------------------------------------------------------------------------

Result<std::optional<core::TokenRecord>> Ledger::find_token(const std::string& id) {
  BIRTHMARK_TRY(Statement * row, prepared(sql::kFindToken));
  const Statement::Use use(*row);
  row->bind(1, std::string_view(id));
  BIRTHMARK_TRY(const bool found, step(*row));
  if (!found) return std::nullopt;
  return read_token(*row);
}

Result<core::TokenRecord> Ledger::add_token(const core::TokenRecord& token, const std::string& audit_body) {
  const std::string id = token.id();
  BIRTHMARK_TRY(const auto taken, find_token(id));
  if (taken) return token_taken(id);
  BIRTHMARK_TRY(const std::int64_t factory, factory_row(token.factory));
  BIRTHMARK_TRY(Statement * insert, prepared(sql::kInsertToken));
  insert->bind(1, factory);
  insert->bind(2, token.hash.view());
  insert->bind(3, std::string_view(id));
  insert->bind(4, static_cast<std::int64_t>(token.scopes.bits()));
  insert->bind(5, std::string_view(token.station));
  insert->bind(6, to_unix_ms(token.created_at));
  bind_optional_instant(*insert, 7, token.expires_at);
  BIRTHMARK_CHECK(run(*insert));
  BIRTHMARK_CHECK(append_audit(audit_body));
  ++state_.figures.trust_epoch;
  return token;
}

Result<core::TokenRecord> Ledger::revoke_token(const std::string& id, Instant at, const std::string& audit_body) {
  BIRTHMARK_TRY(auto known, find_token(id));
  if (!known) return unknown_token(id);
  if (known->revoked_at) return std::move(*known);
  BIRTHMARK_TRY(Statement * update, prepared(sql::kRevokeToken));
  update->bind(1, std::string_view(id));
  update->bind(2, to_unix_ms(at));
  BIRTHMARK_CHECK(run(*update));
  BIRTHMARK_CHECK(append_audit(audit_body));
  ++state_.figures.trust_epoch;
  known->revoked_at = at;
  return std::move(*known);
}

// --- the adapter -----------------------------------------------------------------------------------------------------------------------

Task<Result<core::TokenRecord>> SqliteTokens::add_token(core::TokenRecord token, std::string audit_body) {
  return write_call<core::TokenRecord>(writer_, [token = std::move(token), audit_body = std::move(audit_body)](Ledger& ledger) {
    return ledger.add_token(token, audit_body);
  });
}

Task<Result<core::TokenRecord>> SqliteTokens::revoke_token(std::string id, Instant at, std::string audit_body) {
  return write_call<core::TokenRecord>(writer_, [id = std::move(id), at, audit_body = std::move(audit_body)](Ledger& ledger) {
    return ledger.revoke_token(id, at, audit_body);
  });
}

Result<std::vector<core::TokenRecord>> SqliteTokens::tokens() {
  return readers_.with(sql::kTokens, [](Statement& row) -> Result<std::vector<core::TokenRecord>> {
    std::vector<core::TokenRecord> all;
    for (;;) {
      BIRTHMARK_TRY(const bool found, row.step());
      if (!found) return all;
      all.push_back(read_token(row));
    }
  });
}

}  // namespace birthmark::store
