// SPDX-License-Identifier: Apache-2.0
// The statements of EVE nodes and onboarding certificates; as sql.h.
#pragma once

namespace birthmark::store::sql {

#define BIRTHMARK_ONBOARDING                                                                                                    \
  "SELECT c.id, f.name, c.fingerprint, c.name, c.any_serial, c.globs, c.places, c.used, c.listed, c.expires_at, c.revoked_at, " \
  "c.created_at, c.der FROM onboarding_certificate c JOIN factory f ON f.id = c.factory "
inline constexpr char kOnboardings[] = BIRTHMARK_ONBOARDING "WHERE f.name = ?1 ORDER BY c.id";
inline constexpr char kOnboardingByFingerprint[] = BIRTHMARK_ONBOARDING "WHERE f.name = ?1 AND c.fingerprint = ?2";
inline constexpr char kOnboardingByRow[] = BIRTHMARK_ONBOARDING "WHERE c.id = ?1";
#undef BIRTHMARK_ONBOARDING
inline constexpr char kOnboardingNamed[] = "SELECT id FROM onboarding_certificate WHERE factory = ?1 AND name = ?2";
inline constexpr char kInsertOnboarding[] = R"(
INSERT INTO onboarding_certificate (factory, fingerprint, name, any_serial, globs, places, expires_at, created_at, der)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9))";
inline constexpr char kUpdateOnboarding[] = R"(
UPDATE onboarding_certificate SET name = ?2, any_serial = ?3, globs = ?4, places = ?5, expires_at = ?6, revoked_at = NULL WHERE id = ?1)";
inline constexpr char kRevokeOnboarding[] = "UPDATE onboarding_certificate SET revoked_at = ?2 WHERE id = ?1";
inline constexpr char kCountOnboarding[] = "UPDATE onboarding_certificate SET used = used + 1 WHERE id = ?1";
inline constexpr char kInsertSerial[] = "INSERT OR IGNORE INTO onboarding_serial (certificate, serial) VALUES (?1, ?2)";
inline constexpr char kDeleteSerials[] = "DELETE FROM onboarding_serial WHERE certificate = ?1";
inline constexpr char kCountSerials[] =
    "UPDATE onboarding_certificate SET listed = (SELECT count(*) FROM onboarding_serial WHERE certificate = ?1) WHERE id = ?1";
inline constexpr char kSerialListed[] = "SELECT 1 FROM onboarding_serial WHERE certificate = ?1 AND serial = ?2";
inline constexpr char kSerialsAfter[] =
    "SELECT serial FROM onboarding_serial WHERE certificate = ?1 AND serial > ?2 ORDER BY serial LIMIT ?3";

// Columns as read_node expects them.
#define BIRTHMARK_NODE                                                                                                                 \
  "SELECT i.id, f.name, i.external_id, i.status, i.deleted, i.device_id, i.rekey_until, n.onboarding, n.registered_at, "               \
  "n.certificate, n.spki, n.serial, n.hardware_serial, n.soft_serial FROM node n JOIN identity i ON i.id = n.identity JOIN factory f " \
  "ON f.id = n.factory "
inline constexpr char kNodeByCertificate[] = BIRTHMARK_NODE "WHERE n.certificate >= ?1 AND n.certificate <= ?2 AND f.name = ?3 LIMIT 2";
inline constexpr char kNodeBySerial[] = BIRTHMARK_NODE "WHERE n.onboarding = ?1 AND n.serial = ?2";
inline constexpr char kNodeByUuid[] = BIRTHMARK_NODE "WHERE i.external_id = ?1 AND f.name = ?2 AND i.ecosystem = 3";
inline constexpr char kNodesAfter[] = BIRTHMARK_NODE "WHERE n.identity > ?1 AND f.name = ?2 ORDER BY n.identity LIMIT ?3";
#undef BIRTHMARK_NODE
inline constexpr char kNodeOfCertificate[] = "SELECT identity FROM node WHERE certificate = ?1 AND factory = ?2";
inline constexpr char kNodeOfSerial[] = "SELECT identity FROM node WHERE onboarding = ?1 AND serial = ?2";
inline constexpr char kPutNode[] = R"(
INSERT INTO node (identity, factory, onboarding, registered_at, certificate, spki, serial, hardware_serial, soft_serial,
                  certificate_row)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
ON CONFLICT (identity) DO UPDATE SET onboarding = ?3, registered_at = ?4, certificate = ?5, spki = ?6, serial = ?7, hardware_serial = ?8,
  soft_serial = ?9, certificate_row = ?10)";
inline constexpr char kNodeDer[] =
    "SELECT d.der FROM node n JOIN certificate_der d ON d.certificate = n.certificate_row WHERE n.identity = ?1";

inline constexpr char kPutKnock[] = R"(
INSERT INTO knock (factory, fingerprint, serial, soft_serial, certificate, peer, reason, first_at, last_at, count, der)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?8, 1, ?9)
ON CONFLICT (fingerprint, serial, soft_serial, factory) DO UPDATE SET certificate = ?5, peer = ?6, reason = ?7, last_at = ?8, count = count + 1)";
inline constexpr char kPruneKnocks[] = "DELETE FROM knock WHERE id <= (SELECT id FROM knock ORDER BY id DESC LIMIT 1 OFFSET ?1)";
inline constexpr char kKnocks[] = R"(
SELECT k.id, f.name, k.fingerprint, k.serial, k.soft_serial, k.certificate, k.peer, k.reason, k.first_at, k.last_at, k.count, k.der
FROM knock k JOIN factory f ON f.id = k.factory WHERE f.name = ?1 ORDER BY k.last_at DESC, k.id DESC LIMIT ?2)";
inline constexpr char kDeleteKnock[] = "DELETE FROM knock WHERE id = ?1";
inline constexpr char kDeleteKnockOf[] =
    "DELETE FROM knock WHERE fingerprint = (SELECT fingerprint FROM onboarding_certificate WHERE id = ?1) AND serial = ?2 AND soft_serial "
    "= ?3 "
    "AND factory = ?4";

}  // namespace birthmark::store::sql
