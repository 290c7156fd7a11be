// SPDX-License-Identifier: Apache-2.0
// The statements about production orders; see sql.h.
#pragma once

namespace birthmark::store::sql {

// Columns as read_order expects them.
#define BIRTHMARK_ORDER_COLUMNS                                                                                                      \
  "o.id, f.name, o.name, o.state, o.lists_devices, o.pattern, o.places, o.hardware_ids, o.valid_from, o.valid_until, o.production, " \
  "o.device_group, o.test, o.valid_for, o.created_at, o.listed, o.used"
#define BIRTHMARK_ORDERS " FROM production_order o JOIN factory f ON f.id = o.factory "
inline constexpr char kOrders[] = "SELECT " BIRTHMARK_ORDER_COLUMNS BIRTHMARK_ORDERS "ORDER BY o.id";
inline constexpr char kFindOrder[] = "SELECT " BIRTHMARK_ORDER_COLUMNS BIRTHMARK_ORDERS "WHERE o.id = ?1";
inline constexpr char kOpenOrdersForAny[] =
    "SELECT " BIRTHMARK_ORDER_COLUMNS BIRTHMARK_ORDERS "WHERE o.factory = ?1 AND o.state = 2 AND o.lists_devices = 0 ORDER BY o.id";
inline constexpr char kOrdersThatList[] = "SELECT " BIRTHMARK_ORDER_COLUMNS R"(, e.name, e.hardware_id
FROM order_entry e
JOIN order_import m ON m.id = e.import AND m.complete = 1
JOIN production_order o ON o.id = e.production_order
JOIN factory f ON f.id = o.factory
WHERE e.external_id = ?1 AND o.factory = ?2 ORDER BY o.id)";
inline constexpr char kClaimedOrder[] = "SELECT " BIRTHMARK_ORDER_COLUMNS R"(
FROM identity i
JOIN production_order o ON o.id = i.production_order
JOIN factory f ON f.id = o.factory
WHERE i.external_id = ?1 AND i.factory = ?2 AND i.ecosystem = ?3)";
#undef BIRTHMARK_ORDERS
#undef BIRTHMARK_ORDER_COLUMNS

inline constexpr char kOrderNameTaken[] = "SELECT 1 FROM production_order WHERE factory = ?1 AND name = ?2";
inline constexpr char kInsertOrder[] = R"(
INSERT INTO production_order (factory, name, state, lists_devices, pattern, places, hardware_ids, valid_from, valid_until, production,
                              device_group, test, valid_for, created_at)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14))";
inline constexpr char kCloseOrder[] = "UPDATE production_order SET state = 3 WHERE id = ?1";

// Counts one more if the order still takes one.
inline constexpr char kTakePlace[] = R"(
UPDATE production_order SET used = used + 1
WHERE id = ?1 AND state = 2 AND (places IS NULL OR used < places)
  AND (valid_from IS NULL OR valid_from <= ?2) AND (valid_until IS NULL OR ?2 < valid_until))";
inline constexpr char kFreePlace[] = "UPDATE production_order SET used = used - 1 WHERE id = ?1";
inline constexpr char kReadClaim[] = "SELECT production_order FROM identity WHERE id = ?1";
inline constexpr char kSetClaim[] = "UPDATE identity SET production_order = ?2 WHERE id = ?1";

inline constexpr char kInsertImport[] = "INSERT INTO order_import (production_order, complete, entries) VALUES (?1, 0, 0)";
inline constexpr char kFindUnfinishedImport[] = "SELECT production_order, entries FROM order_import WHERE id = ?1 AND complete = 0";
inline constexpr char kUnfinishedImports[] = "SELECT id FROM order_import WHERE production_order = ?1 AND complete = 0 ORDER BY id";
inline constexpr char kInsertEntry[] = R"(
INSERT OR IGNORE INTO order_entry (import, production_order, external_id, name, hardware_id) VALUES (?1, ?2, ?3, ?4, ?5))";
inline constexpr char kCountEntries[] = "UPDATE order_import SET entries = entries + ?2 WHERE id = ?1";
inline constexpr char kCompleteImport[] = "UPDATE order_import SET complete = 1 WHERE id = ?1";
inline constexpr char kOpenWithList[] = R"(
UPDATE production_order SET listed = listed + ?2, state = CASE state WHEN 1 THEN 2 ELSE state END WHERE id = ?1)";
inline constexpr char kDiscardEntries[] = "DELETE FROM order_entry WHERE id IN (SELECT id FROM order_entry WHERE import = ?1 LIMIT ?2)";
inline constexpr char kDeleteImport[] = "DELETE FROM order_import WHERE id = ?1";
inline constexpr char kDeleteImportingOrder[] = R"(
DELETE FROM production_order
WHERE id = ?1 AND state = 1 AND NOT EXISTS (SELECT 1 FROM order_import m WHERE m.production_order = production_order.id))";

inline constexpr char kUnseen[] = R"(
SELECT x.id, f.name, i.ecosystem, i.external_id, x.station, x.issued_at
FROM certificate x
JOIN credential c ON c.id = x.credential AND c.newest_certificate = x.id AND c.state = 2
JOIN identity i ON i.id = c.identity AND i.status = 1
JOIN factory f ON f.id = i.factory
WHERE x.id > ?1 AND x.delivery = 1 AND x.issued_at < ?2 AND (?3 = '' OR x.station = ?3)
ORDER BY x.id LIMIT ?4)";

}  // namespace birthmark::store::sql
