// SPDX-License-Identifier: Apache-2.0
// The statements of callers and approvals, by name (as sql.h has all others).
#pragma once

namespace birthmark::store::sql {

inline constexpr char kUsers[] = R"(
SELECT f.name, u.user_id, u.name, u.role, u.created_at, u.removed_at FROM api_user u JOIN factory f ON f.id = u.factory ORDER BY u.id)";
inline constexpr char kUserExists[] = "SELECT 1 FROM api_user WHERE factory = ?1 AND user_id = ?2";
inline constexpr char kInsertUser[] = "INSERT INTO api_user (factory, user_id, name, role, created_at) VALUES (?1, ?2, ?3, ?4, ?5)";
inline constexpr char kRemoveUser[] = "UPDATE api_user SET removed_at = ?3 WHERE factory = ?1 AND user_id = ?2 AND removed_at IS NULL";
inline constexpr char kRevokeClientsOf[] =
    "UPDATE api_client SET revoked_at = ?3 WHERE factory = ?1 AND user_id = ?2 AND revoked_at IS NULL";
inline constexpr char kEndGrantsOf[] = "DELETE FROM api_grant WHERE factory = ?1 AND user_id = ?2";

inline constexpr char kTokenNote[] = "SELECT user_id, last_used_at FROM token_note WHERE token = ?1";
inline constexpr char kSetTokenUser[] =
    "INSERT INTO token_note (token, user_id) VALUES (?1, ?2) ON CONFLICT (token) DO UPDATE SET user_id = excluded.user_id";
inline constexpr char kNoteTokenUse[] =
    "INSERT INTO token_note (token, last_used_at) VALUES (?1, ?2) ON CONFLICT (token) DO UPDATE SET last_used_at = excluded.last_used_at";

#define BIRTHMARK_CLIENTS                                                                                                          \
  "SELECT f.name, c.client_id, c.secret_hash, c.user_id, c.scopes, c.created_at, c.expires_at, c.revoked_at, c.last_used_at FROM " \
  "api_client c JOIN factory f ON f.id = c.factory "
inline constexpr char kClients[] = BIRTHMARK_CLIENTS "ORDER BY c.id";
inline constexpr char kClientById[] = BIRTHMARK_CLIENTS "WHERE c.client_id = ?1";
#undef BIRTHMARK_CLIENTS
inline constexpr char kInsertClient[] = R"(
INSERT INTO api_client (factory, client_id, secret_hash, user_id, scopes, created_at, expires_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7))";
inline constexpr char kRevokeClient[] = "UPDATE api_client SET revoked_at = ?2 WHERE client_id = ?1";
inline constexpr char kEndGrantsOfClient[] = "DELETE FROM api_grant WHERE client_id = ?1";
inline constexpr char kNoteClientUse[] = "UPDATE api_client SET last_used_at = ?2 WHERE client_id = ?1";

inline constexpr char kGrant[] = R"(
SELECT f.name, g.hash, g.kind, g.client_id, g.device, g.user_id, g.bearer, g.scopes, g.expires_at
FROM api_grant g JOIN factory f ON f.id = g.factory WHERE g.hash = ?1)";
inline constexpr char kInsertGrant[] = R"(
INSERT INTO api_grant (factory, hash, kind, client_id, device, user_id, bearer, scopes, expires_at)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9))";
inline constexpr char kEndGrant[] = "DELETE FROM api_grant WHERE hash = ?1";
inline constexpr char kForgetGrants[] =
    "DELETE FROM api_grant WHERE id IN (SELECT id FROM api_grant INDEXED BY api_grant_expiry WHERE expires_at <= ?1 LIMIT 200)";

#define BIRTHMARK_AUTHORIZATIONS                                                                                                        \
  "SELECT f.name, a.device_code_hash, a.user_code, a.device, a.address, a.state, a.created_at, a.expires_at, a.decided_by, a.user_id, " \
  "a.issued FROM api_authorization a JOIN factory f ON f.id = a.factory "
inline constexpr char kAuthorization[] = BIRTHMARK_AUTHORIZATIONS "WHERE a.device_code_hash = ?1";
inline constexpr char kAuthorizationByCode[] = BIRTHMARK_AUTHORIZATIONS "WHERE a.user_code = ?1";
#undef BIRTHMARK_AUTHORIZATIONS
inline constexpr char kInsertAuthorization[] = R"(
INSERT INTO api_authorization (factory, device_code_hash, user_code, device, address, state, created_at, expires_at, decided_by, user_id,
                               issued)
VALUES (?1, ?2, ?3, ?4, ?5, 1, ?6, ?7, '', '', 0))";
// Those that wait: from one address, and at all.
inline constexpr char kWaitingAuthorizations[] = R"(
SELECT (SELECT count(*) FROM api_authorization INDEXED BY api_authorization_address WHERE state = 1 AND address = ?1),
       (SELECT count(*) FROM api_authorization INDEXED BY api_authorization_address WHERE state = 1))";
inline constexpr char kUserCodeTaken[] = "SELECT 1 FROM api_authorization WHERE user_code = ?1";
inline constexpr char kDecideAuthorization[] = R"(
UPDATE api_authorization SET state = ?2, decided_by = ?3, user_id = ?4, expires_at = ?5
WHERE user_code = ?1 AND state = 1 AND expires_at > ?6)";
inline constexpr char kRedeemAuthorization[] =
    "UPDATE api_authorization SET issued = issued + 1 WHERE device_code_hash = ?1 AND state = 2 AND issued < ?2";
// Kept for a while after they expired, so that a device is told so rather than that its code is unknown.
inline constexpr char kForgetAuthorizations[] = R"(
DELETE FROM api_authorization WHERE id IN (
  SELECT id FROM api_authorization INDEXED BY api_authorization_expiry WHERE expires_at <= ?1 - 3600000 LIMIT 200))";
inline constexpr char kExpireAuthorizations[] = R"(
UPDATE api_authorization SET state = 3 WHERE id IN (
  SELECT id FROM api_authorization INDEXED BY api_authorization_expiry WHERE expires_at <= ?1 AND state = 1 LIMIT 200))";

}  // namespace birthmark::store::sql
