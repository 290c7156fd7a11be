// SPDX-License-Identifier: Apache-2.0
// The statements on gateways, by name; see sql.h.
#pragma once

namespace birthmark::store::sql {

#define BIRTHMARK_GATEWAY_COLUMNS                                                                                                   \
  "SELECT g.id, i.external_id, g.certificate, g.state, g.created_at, g.settled_at, g.fields, g.verification_key, g.enrollment_id, " \
  "g.target, i.station, g.tenant, g.notes FROM gateway g JOIN identity i ON i.id = g.identity "

inline constexpr char kInsertGateway[] = R"(
INSERT INTO gateway (identity, certificate, state, created_at, fields, verification_key, enrollment_id, target, tenant, notes, settled_at)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, '', '', ?9))";
inline constexpr char kNewestGateway[] = BIRTHMARK_GATEWAY_COLUMNS
    "WHERE g.identity = (SELECT id FROM identity WHERE external_id = ?1 AND factory = ?2 AND ecosystem = ?3) ORDER BY g.id DESC LIMIT 1";
inline constexpr char kUnsettledGateways[] = BIRTHMARK_GATEWAY_COLUMNS "WHERE g.state = 1 AND i.factory = ?1 ORDER BY g.id";
inline constexpr char kGatewaysUp[] =
    BIRTHMARK_GATEWAY_COLUMNS "WHERE g.state = 2 AND i.status = 1 AND i.factory = ?1 AND g.id > ?2 ORDER BY g.id LIMIT ?3";
inline constexpr char kGatewaysDown[] =
    BIRTHMARK_GATEWAY_COLUMNS "WHERE g.state = 2 AND i.status = 1 AND i.factory = ?1 AND g.id < ?2 ORDER BY g.id DESC LIMIT ?3";
#undef BIRTHMARK_GATEWAY_COLUMNS

inline constexpr char kFindIssuedGateway[] = "SELECT id FROM gateway WHERE identity = ?1 AND certificate = ?2 AND state = 1";
inline constexpr char kFindProvisionedGateway[] = "SELECT id FROM gateway WHERE identity = ?1 AND state = 2 ORDER BY id DESC LIMIT 1";
inline constexpr char kSettleGateway[] = "UPDATE gateway SET state = ?2, settled_at = ?3, enrollment_id = ?4 WHERE id = ?1";
// Whatever the identity had before; a secret of an identity that is no more is not kept.
inline constexpr char kSupersedeGateways[] =
    "UPDATE gateway SET state = 3, verification_key = '' WHERE identity = ?1 AND id <> ?2 AND state <> 3";
inline constexpr char kAnnotateGateway[] = "UPDATE gateway SET tenant = coalesce(?2, tenant), notes = coalesce(?3, notes) WHERE id = ?1";

}  // namespace birthmark::store::sql
