// SPDX-License-Identifier: Apache-2.0
// Every SQL statement of the product, by name. Parameters are numbered in the order the code binds them; nothing is ever spliced in.
#pragma once

namespace birthmark::store::sql {

// --- connections -----------------------------------------------------------------------------------------------------------------
inline constexpr char kPragmas[] = "PRAGMA foreign_keys=ON; PRAGMA wal_autocheckpoint=0; PRAGMA temp_store=MEMORY;";
inline constexpr char kSynchronousFull[] = "PRAGMA synchronous=FULL";
inline constexpr char kSynchronousOff[] = "PRAGMA synchronous=OFF";
inline constexpr char kWriteAheadLog[] = "PRAGMA page_size=4096; PRAGMA journal_mode=WAL;";
inline constexpr char kReadVersion[] = "PRAGMA user_version";
inline constexpr char kBegin[] = "BEGIN IMMEDIATE";
inline constexpr char kCommit[] = "COMMIT";
inline constexpr char kRollback[] = "ROLLBACK";
inline constexpr char kSavepoint[] = "SAVEPOINT job";
inline constexpr char kRollbackToSavepoint[] = "ROLLBACK TO job";
inline constexpr char kReleaseSavepoint[] = "RELEASE job";

// --- one device ------------------------------------------------------------------------------------------------------------------
// The standing credential (current, or denied with its identity) and its newest certificate; columns as read_device expects them.
inline constexpr char kFindDevice[] = R"(
SELECT i.id, i.device_id, i.status, i.name, i.hardware_id, i.production, i.station, i.created_at, i.last_seen, c.spki_sha256,
       x.id, x.issuer, x.serial, x.not_before, x.not_after, x.issued_at, x.delivery, x.station, d.der,
       i.device_group, i.rekey_until, i.deleted
FROM identity i
LEFT JOIN credential c ON c.identity = i.id AND c.state IN (2, 4)
LEFT JOIN certificate x ON x.id = c.newest_certificate
LEFT JOIN certificate_der d ON d.certificate = x.id
WHERE i.external_id = ?1 AND i.factory = ?2 AND i.ecosystem = ?3)";

// The same without what the writer does not need.
inline constexpr char kFindStanding[] = R"(
SELECT i.id, i.status, i.device_id IS NULL, c.id, c.spki_sha256, x.id, x.delivery, i.rekey_until
FROM identity i
LEFT JOIN credential c ON c.identity = i.id AND c.state IN (2, 4)
LEFT JOIN certificate x ON x.id = c.newest_certificate
WHERE i.external_id = ?1 AND i.factory = ?2 AND i.ecosystem = ?3)";

inline constexpr char kInsertIdentity[] = R"(
INSERT INTO identity (external_id, factory, ecosystem, status, created_at, device_id, name, hardware_id, production, station,
                      device_group)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11))";
inline constexpr char kUpdateIdentity[] = R"(
UPDATE identity SET device_id = coalesce(device_id, ?2), name = ?3, hardware_id = ?4, production = ?5, station = ?6,
       device_group = CASE status WHEN 1 THEN device_group ELSE ?7 END, status = 1, rekey_until = NULL
WHERE id = ?1)";
inline constexpr char kSetIdentityStatus[] = "UPDATE identity SET status = ?2, deleted = ?3, rekey_until = NULL WHERE id = ?1";
inline constexpr char kChangeIdentity[] = R"(
UPDATE identity SET name = coalesce(?2, name), device_group = coalesce(?3, device_group), rekey_until = coalesce(?4, rekey_until)
WHERE id = ?1)";
inline constexpr char kInsertCredential[] =
    "INSERT INTO credential (identity, state, spki_sha256, newest_certificate) VALUES (?1, 2, ?2, ?3)";
inline constexpr char kSetNewestCertificate[] = "UPDATE credential SET newest_certificate = ?2 WHERE id = ?1";
inline constexpr char kSetCredentialState[] = "UPDATE credential SET state = ?2 WHERE id = ?1";
inline constexpr char kSerialExists[] = "SELECT 1 FROM certificate WHERE issuer = ?1 AND serial = ?2";
inline constexpr char kInsertCertificate[] = R"(
INSERT INTO certificate (credential, issuer, serial, not_before, not_after, issued_at, delivery, station, id)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9))";
inline constexpr char kInsertCertificateDer[] = "INSERT INTO certificate_der (certificate, der) VALUES (?1, ?2)";
inline constexpr char kRaiseDelivery[] = "UPDATE certificate SET delivery = ?2 WHERE id = ?1 AND delivery < ?2";

inline constexpr char kLastCertificate[] = "SELECT max(id) FROM certificate";
inline constexpr char kEveryIdentity[] = "SELECT external_id, ecosystem FROM identity INDEXED BY identity_external";

// --- lists -----------------------------------------------------------------------------------------------------------------------
// Columns as read_summary expects them. One SELECT for each way in: by row, through the index of the few that are not active, and
// through the index of external ids.
#define BIRTHMARK_COLUMNS                                                                                          \
  "AND (?9 IS NULL OR i.production = ?9) AND (?10 IS NULL OR i.hardware_id = ?10) "                                \
  "AND (?11 IS NULL OR i.station = ?11) AND (?12 IS NULL OR i.device_group = ?12) "                                \
  "AND (?13 IS NULL OR c.spki_sha256 = ?13) AND (?14 IS NULL OR x.serial = ?14) "                                  \
  "AND (?15 IS NULL OR i.created_at >= ?15) AND (?16 IS NULL OR i.created_at < ?16) "                              \
  "AND (?17 IS NULL OR x.not_after < ?17) AND (?18 IS NULL OR instr(lower(i.name || char(10) || i.hardware_id || " \
  "char(10) || i.station || char(10) || i.device_group), ?18) > 0) "                                               \
  "AND (?19 IS NULL OR coalesce((SELECT o.test FROM production_order o WHERE o.id = i.production_order), 0) = ?19) "
#define BIRTHMARK_SUMMARY_OF(identities)                                                                        \
  "SELECT i.id, f.name, i.ecosystem, i.external_id, i.status, i.name, i.hardware_id, i.production, i.station, " \
  "i.created_at, i.last_seen, c.spki_sha256, x.serial, x.not_after, i.device_group, i.deleted FROM " identities \
  " JOIN factory f ON f.id = i.factory "                                                                        \
  "LEFT JOIN credential c ON c.identity = i.id AND c.state IN (2, 4) "                                          \
  "LEFT JOIN certificate x ON x.id = c.newest_certificate "                                                     \
  "WHERE i.id > ?1 AND (?2 IS NULL OR i.status = ?2) AND (?3 IS NULL OR i.ecosystem = ?3) "                     \
  "AND (?5 IS NULL OR (i.external_id >= ?4 AND i.external_id <= ?5) OR (i.external_id >= ?6 AND i.external_id < ?7)) " BIRTHMARK_COLUMNS
inline constexpr char kListByRow[] = BIRTHMARK_SUMMARY_OF("identity i NOT INDEXED") "ORDER BY i.id LIMIT ?8";
inline constexpr char kListNotActive[] =
    BIRTHMARK_SUMMARY_OF("identity i INDEXED BY identity_not_active") "AND i.status <> 1 AND i.status = ?2 ORDER BY i.id LIMIT ?8";
#undef BIRTHMARK_SUMMARY_OF
// How many match a prefix, as far as it matters.
inline constexpr char kCountPrefix[] = R"(
SELECT count(*) FROM (SELECT 1 FROM identity WHERE external_id >= ?1 AND external_id <= ?2
                      UNION ALL SELECT 1 FROM identity WHERE external_id >= ?3 AND external_id < ?4 LIMIT ?5))";
inline constexpr char kListByPrefix[] = R"(
SELECT i.id, f.name, i.ecosystem, i.external_id, i.status, i.name, i.hardware_id, i.production, i.station,
       i.created_at, i.last_seen, c.spki_sha256, x.serial, x.not_after, i.device_group, i.deleted
FROM (SELECT id FROM identity WHERE external_id >= ?4 AND external_id <= ?5
      UNION ALL SELECT id FROM identity WHERE external_id >= ?6 AND external_id < ?7) m
CROSS JOIN identity i ON i.id = m.id
JOIN factory f ON f.id = i.factory
LEFT JOIN credential c ON c.identity = i.id AND c.state IN (2, 4)
LEFT JOIN certificate x ON x.id = c.newest_certificate
WHERE m.id > ?1 AND (?2 IS NULL OR i.status = ?2) AND (?3 IS NULL OR i.ecosystem = ?3) )" BIRTHMARK_COLUMNS "ORDER BY m.id LIMIT ?8";
#undef BIRTHMARK_COLUMNS

// --- the field -------------------------------------------------------------------------------------------------------------------
inline constexpr char kFieldNewest[] =
    "SELECT id, at, body FROM field_log WHERE owner = ?1 AND kind = ?2 AND factory = ?3 ORDER BY id DESC LIMIT ?4";
inline constexpr char kInsertField[] = "INSERT INTO field_log (factory, at, owner, kind, body) VALUES (?1, ?2, ?3, ?4, ?5)";
inline constexpr char kPruneField[] = R"(
DELETE FROM field_log WHERE owner = ?1 AND kind = ?2 AND factory = ?3 AND id <=
  (SELECT id FROM field_log WHERE owner = ?1 AND kind = ?2 AND factory = ?3 ORDER BY id DESC LIMIT 1 OFFSET ?4))";
inline constexpr char kFieldKinds[] =
    "SELECT DISTINCT kind FROM field_log WHERE owner = ?1 AND kind >= ?2 AND factory = ?3 ORDER BY kind LIMIT ?4";
inline constexpr char kNoteContact[] = "UPDATE identity SET last_seen = max(coalesce(last_seen, 0), ?2) WHERE id = ?1";
inline constexpr char kPendingCredential[] = "SELECT id, newest_certificate, spki_sha256 FROM credential WHERE identity = ?1 AND state = 1";
inline constexpr char kInsertPendingCredential[] =
    "INSERT INTO credential (identity, state, spki_sha256, newest_certificate) VALUES (?1, 1, ?2, ?3)";
inline constexpr char kPendingKey[] = R"(
SELECT c.spki_sha256, x.id, x.issuer, x.serial, x.not_before, x.not_after, x.issued_at, d.der
FROM identity i
JOIN credential c ON c.identity = i.id AND c.state = 1
JOIN certificate x ON x.id = c.newest_certificate
JOIN certificate_der d ON d.certificate = x.id
WHERE i.external_id = ?1 AND i.factory = ?2 AND i.ecosystem = ?3)";

// --- factories and trust ---------------------------------------------------------------------------------------------------------
inline constexpr char kFactories[] = "SELECT id, name FROM factory";
inline constexpr char kInsertFactory[] = "INSERT INTO factory (name) VALUES (?1)";
inline constexpr char kAuthorities[] =
    "SELECT a.id, f.name, a.role, a.state, a.changed_at, a.der FROM authority a JOIN factory f ON f.id = a.factory ORDER BY a.id";
inline constexpr char kAuthoritySerials[] =
    "SELECT id, (SELECT serial FROM certificate WHERE issuer = a.id ORDER BY serial DESC LIMIT 1) FROM authority a";
inline constexpr char kInsertAuthority[] = "INSERT INTO authority (factory, role, state, changed_at, der) VALUES (?1, ?2, ?3, ?4, ?5)";
inline constexpr char kSetAuthorityState[] = "UPDATE authority SET state = ?2, changed_at = ?3 WHERE id = ?1";

// --- tokens ----------------------------------------------------------------------------------------------------------------------
inline constexpr char kTokens[] = R"(
SELECT f.name, t.hash, t.scopes, t.station, t.created_at, t.expires_at, t.revoked_at
FROM token t JOIN factory f ON f.id = t.factory ORDER BY t.id)";
inline constexpr char kFindToken[] = R"(
SELECT f.name, t.hash, t.scopes, t.station, t.created_at, t.expires_at, t.revoked_at
FROM token t JOIN factory f ON f.id = t.factory WHERE t.name = ?1)";
inline constexpr char kInsertToken[] =
    "INSERT INTO token (factory, hash, name, scopes, station, created_at, expires_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
inline constexpr char kRevokeToken[] = "UPDATE token SET revoked_at = ?2 WHERE name = ?1";

// --- audit and figures -----------------------------------------------------------------------------------------------------------
inline constexpr char kInsertAudit[] = "INSERT INTO audit (position, hash, body) VALUES (?1, ?2, ?3)";
inline constexpr char kLastAudit[] = "SELECT position, hash FROM audit WHERE position BETWEEN ?1 AND ?2 ORDER BY position DESC LIMIT 1";
inline constexpr char kAuditAfter[] =
    "SELECT position, hash, body FROM audit WHERE position > ?1 AND position <= ?2 ORDER BY position LIMIT ?3";
inline constexpr char kReadState[] = "SELECT trust_epoch, clock_mark, devices, denied, certificates FROM registry_state WHERE id = 1";
inline constexpr char kWriteState[] =
    "UPDATE registry_state SET trust_epoch = ?1, clock_mark = ?2, devices = ?3, denied = ?4, certificates = ?5 WHERE id = 1";

}  // namespace birthmark::store::sql
