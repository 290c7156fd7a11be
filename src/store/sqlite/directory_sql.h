// SPDX-License-Identifier: Apache-2.0
// The statements of the fleet's directory, by name (as sql.h has all others). Lists read two places and merge them: rows that are in the
// indexes, and the few newcomers beyond listing.listed_through, sorted when asked for. Only the page's own rows are looked up whole.
#pragma once

namespace birthmark::store::sql {

// What every list filters by: ?1 factory, ?2 and ?3 the least and greatest name, ?4 a pattern, ?5 production, ?6 owner, ?7 nobody's too,
// ?8 and ?9 name and row that the page follows, ?10 limit, ?11 offset, ?12 group.
#define BIRTHMARK_FITS \
  "AND name >= ?2 AND name <= ?3 AND (?4 IS NULL OR name GLOB ?4) AND (?6 IS NULL OR owner = ?6 OR (?7 AND owner = '')) "
#define BIRTHMARK_NEWCOMERS                                                                     \
  "FROM identity NOT INDEXED WHERE id > (SELECT listed_through FROM listing) AND factory = ?1 " \
  "AND ecosystem = 1 AND status = 1 AND (?5 IS NULL OR production = ?5) "
#define BIRTHMARK_BY_NAME(production)                                                              \
  "FROM identity INDEXED BY identity_by_name WHERE factory = ?1 AND listed = 1 AND ecosystem = 1 " \
  "AND status = 1 AND production = " production " AND (?5 IS NULL OR ?5 = " production ") "
#define BIRTHMARK_BY_GROUP                                                                          \
  "FROM identity INDEXED BY identity_by_group WHERE factory = ?1 AND listed = 1 AND ecosystem = 1 " \
  "AND status = 1 AND device_group = ?12 AND device_group <> '' AND (?5 IS NULL OR production = ?5) "
// The three places of all devices, and the two of a group; `rest` follows each of them.
#define BIRTHMARK_ALL(columns, rest)                                                                                       \
  "SELECT " columns " " BIRTHMARK_BY_NAME("0") BIRTHMARK_FITS rest " UNION ALL SELECT " columns " " BIRTHMARK_BY_NAME("1") \
      BIRTHMARK_FITS rest " UNION ALL SELECT " columns " " BIRTHMARK_NEWCOMERS BIRTHMARK_FITS rest
#define BIRTHMARK_GROUP(columns, rest)                                                                              \
  "SELECT " columns " " BIRTHMARK_BY_GROUP BIRTHMARK_FITS rest " UNION ALL SELECT " columns " " BIRTHMARK_NEWCOMERS \
  "AND device_group = ?12 " BIRTHMARK_FITS rest
// The rows of a page, looked up; columns as read_summary expects them, then the owner.
#define BIRTHMARK_PAGE_OF(rows, order)                                                                              \
  "SELECT i.id, f.name, i.ecosystem, i.external_id, i.status, i.name, i.hardware_id, i.production, i.station, "     \
  "i.created_at, i.last_seen, c.spki_sha256, x.serial, x.not_after, i.device_group, i.deleted, i.owner FROM (" rows \
  ") m "                                                                                                            \
  "CROSS JOIN identity i ON i.id = m.id JOIN factory f ON f.id = i.factory "                                        \
  "LEFT JOIN credential c ON c.identity = i.id AND c.state IN (2, 4) "                                              \
  "LEFT JOIN certificate x ON x.id = c.newest_certificate ORDER BY " order

#define BIRTHMARK_UP "AND (name, id) > (?8, ?9) "
#define BIRTHMARK_DOWN "AND (name, id) < (?8, ?9) "
inline constexpr char kDirectoryByName[] =
    BIRTHMARK_PAGE_OF(BIRTHMARK_ALL("name, id", BIRTHMARK_UP) "ORDER BY 1, 2 LIMIT ?10 OFFSET ?11", "m.name, m.id");
inline constexpr char kDirectoryByNameDown[] =
    BIRTHMARK_PAGE_OF(BIRTHMARK_ALL("name, id", BIRTHMARK_DOWN) "ORDER BY 1 DESC, 2 DESC LIMIT ?10 OFFSET ?11", "m.name DESC, m.id DESC");
inline constexpr char kDirectoryOfGroup[] =
    BIRTHMARK_PAGE_OF(BIRTHMARK_GROUP("name, id", BIRTHMARK_UP) "ORDER BY 1, 2 LIMIT ?10 OFFSET ?11", "m.name, m.id");
inline constexpr char kDirectoryOfGroupDown[] =
    BIRTHMARK_PAGE_OF(BIRTHMARK_GROUP("name, id", BIRTHMARK_DOWN) "ORDER BY 1 DESC, 2 DESC LIMIT ?10 OFFSET ?11", "m.name DESC, m.id DESC");

// By the last contact: through its index where many devices fit, by sorting those that fit where few do. Who was never here comes first,
// going up.
#define BIRTHMARK_BY_SEEN(fits, direction)                                                                                           \
  "SELECT last_seen AS seen, id FROM identity INDEXED BY identity_by_last_seen WHERE factory = ?1 AND listed = 1 AND ecosystem = 1 " \
  "AND status = 1 " fits "UNION ALL SELECT last_seen, id " BIRTHMARK_NEWCOMERS fits "ORDER BY 1 " direction ", 2 " direction         \
  " LIMIT ?10 OFFSET ?11"
#define BIRTHMARK_MANY_FIT "AND (?5 IS NULL OR production = ?5) AND (?12 IS NULL OR device_group = ?12) " BIRTHMARK_FITS
#define BIRTHMARK_SORTED_BY_SEEN(places, direction) \
  "SELECT * FROM (" places ") ORDER BY 1 " direction ", 2 " direction " LIMIT ?10 OFFSET ?11"
inline constexpr char kDirectoryBySeen[] = BIRTHMARK_PAGE_OF(BIRTHMARK_BY_SEEN("", "ASC"), "m.seen, m.id");
inline constexpr char kDirectoryBySeenDown[] = BIRTHMARK_PAGE_OF(BIRTHMARK_BY_SEEN("", "DESC"), "m.seen DESC, m.id DESC");
inline constexpr char kManyBySeen[] = BIRTHMARK_PAGE_OF(BIRTHMARK_BY_SEEN(BIRTHMARK_MANY_FIT, "ASC"), "m.seen, m.id");
inline constexpr char kManyBySeenDown[] = BIRTHMARK_PAGE_OF(BIRTHMARK_BY_SEEN(BIRTHMARK_MANY_FIT, "DESC"), "m.seen DESC, m.id DESC");
inline constexpr char kFewBySeen[] =
    BIRTHMARK_PAGE_OF(BIRTHMARK_SORTED_BY_SEEN(BIRTHMARK_ALL("last_seen AS seen, id", ""), "ASC"), "m.seen, m.id");
inline constexpr char kFewBySeenDown[] =
    BIRTHMARK_PAGE_OF(BIRTHMARK_SORTED_BY_SEEN(BIRTHMARK_ALL("last_seen AS seen, id", ""), "DESC"), "m.seen DESC, m.id DESC");
inline constexpr char kFewOfGroupBySeen[] =
    BIRTHMARK_PAGE_OF(BIRTHMARK_SORTED_BY_SEEN(BIRTHMARK_GROUP("last_seen AS seen, id", ""), "ASC"), "m.seen, m.id");
inline constexpr char kFewOfGroupBySeenDown[] =
    BIRTHMARK_PAGE_OF(BIRTHMARK_SORTED_BY_SEEN(BIRTHMARK_GROUP("last_seen AS seen, id", ""), "DESC"), "m.seen DESC, m.id DESC");

// At most ?13 of those that fit.
inline constexpr char kCountFitting[] = "SELECT count(*) FROM (SELECT 1 FROM (" BIRTHMARK_ALL("1", "") ") LIMIT ?13)";
inline constexpr char kCountFittingOfGroup[] = "SELECT count(*) FROM (SELECT 1 FROM (" BIRTHMARK_GROUP("1", "") ") LIMIT ?13)";
#undef BIRTHMARK_FITS
#undef BIRTHMARK_NEWCOMERS
#undef BIRTHMARK_BY_NAME
#undef BIRTHMARK_BY_GROUP
#undef BIRTHMARK_ALL
#undef BIRTHMARK_GROUP
#undef BIRTHMARK_BY_SEEN
#undef BIRTHMARK_MANY_FIT
#undef BIRTHMARK_SORTED_BY_SEEN
#undef BIRTHMARK_UP
#undef BIRTHMARK_DOWN

// All active ones, from counters: listed rows and newcomers, without those that are not active.
inline constexpr char kCountActive[] = R"(
SELECT coalesce((SELECT devices FROM listing_count WHERE factory = ?1 AND ecosystem = 1), 0)
     + (SELECT count(*) FROM identity NOT INDEXED WHERE id > (SELECT listed_through FROM listing) AND factory = ?1 AND ecosystem = 1)
     - (SELECT count(*) FROM identity INDEXED BY identity_not_active WHERE status <> 1 AND factory = ?1 AND ecosystem = 1))";

// Denied devices, of which there are few: by row.
inline constexpr char kDirectoryDenied[] = BIRTHMARK_PAGE_OF(
    "SELECT id FROM identity INDEXED BY identity_not_active WHERE status = 2 AND status <> 1 AND factory = ?1 AND ecosystem = 1 "
    "AND id > ?2 ORDER BY id LIMIT ?3 OFFSET ?4",
    "m.id");
inline constexpr char kCountDenied[] =
    "SELECT count(*) FROM identity INDEXED BY identity_not_active WHERE status = 2 AND status <> 1 AND factory = ?1 AND ecosystem = 1";
#undef BIRTHMARK_PAGE_OF

inline constexpr char kOwnerOf[] = "SELECT owner FROM identity WHERE id = ?1";
inline constexpr char kSetOwner[] = "UPDATE identity SET owner = ?2 WHERE id = ?1";

// --- newcomers -------------------------------------------------------------------------------------------------------------------
inline constexpr char kListedThrough[] =
    "SELECT listed_through, (SELECT max(id) FROM (SELECT id FROM identity WHERE id > listed_through ORDER BY id LIMIT ?1)) FROM listing";
inline constexpr char kCountListed[] = R"(
INSERT INTO listing_count (factory, ecosystem, devices)
SELECT factory, ecosystem, count(*) FROM identity NOT INDEXED WHERE id > ?1 AND id <= ?2 GROUP BY factory, ecosystem
ON CONFLICT (factory, ecosystem) DO UPDATE SET devices = devices + excluded.devices)";
inline constexpr char kListNewcomers[] = "UPDATE identity SET listed = 1 WHERE id > ?1 AND id <= ?2";
inline constexpr char kSetListedThrough[] = "UPDATE listing SET listed_through = ?1";

// --- groups ----------------------------------------------------------------------------------------------------------------------
#define BIRTHMARK_GROUP_COLUMNS \
  "SELECT id, name, description, created_at, created_by, updated_at, updated_by FROM device_group WHERE factory = ?1"
inline constexpr char kGroups[] = BIRTHMARK_GROUP_COLUMNS " ORDER BY name";
inline constexpr char kGroupByName[] = BIRTHMARK_GROUP_COLUMNS " AND name = ?2";
#undef BIRTHMARK_GROUP_COLUMNS
// Names that devices carry, by skipping from one to the next through the index.
inline constexpr char kGroupsInUse[] = R"(
WITH RECURSIVE used(name) AS (
  SELECT min(device_group) FROM identity INDEXED BY identity_by_group
    WHERE factory = ?1 AND listed = 1 AND ecosystem = 1 AND status = 1 AND device_group <> ''
  UNION ALL
  SELECT (SELECT min(device_group) FROM identity INDEXED BY identity_by_group
            WHERE factory = ?1 AND listed = 1 AND ecosystem = 1 AND status = 1 AND device_group <> '' AND device_group > used.name)
    FROM used WHERE used.name IS NOT NULL)
SELECT name FROM used WHERE name IS NOT NULL
UNION SELECT device_group FROM identity NOT INDEXED
  WHERE id > (SELECT listed_through FROM listing) AND factory = ?1 AND ecosystem = 1 AND status = 1 AND device_group <> ''
ORDER BY 1)";
inline constexpr char kInsertGroup[] = R"(
INSERT INTO device_group (factory, name, description, created_at, created_by, updated_at, updated_by) VALUES (?1, ?2, ?3, ?4, ?5, ?4, ?5))";
inline constexpr char kUpdateGroup[] =
    "UPDATE device_group SET name = ?2, description = ?3, updated_at = ?4, updated_by = ?5 WHERE id = ?1";
inline constexpr char kDeleteGroup[] = "DELETE FROM device_group WHERE factory = ?1 AND name = ?2";
// Devices of a group whatever their status, at most ?3 of them.
inline constexpr char kMoveListed[] = R"(
UPDATE identity SET device_group = ?3 WHERE id IN (
  SELECT id FROM identity INDEXED BY identity_by_group
    WHERE factory = ?1 AND listed = 1 AND ecosystem = 1 AND status = 1 AND device_group = ?2 AND device_group <> ''
  UNION ALL SELECT id FROM identity NOT INDEXED
    WHERE id > (SELECT listed_through FROM listing) AND factory = ?1 AND ecosystem = 1 AND device_group = ?2
  UNION ALL SELECT id FROM identity INDEXED BY identity_not_active
    WHERE status <> 1 AND factory = ?1 AND ecosystem = 1 AND device_group = ?2))";
inline constexpr char kMoveGroupConfig[] = "UPDATE field_log SET owner = ?3 WHERE owner = ?2 AND factory = ?1";

}  // namespace birthmark::store::sql
