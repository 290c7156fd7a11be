// SPDX-License-Identifier: Apache-2.0
// The statements of backups, as sql.h has the rest.
#pragma once

namespace birthmark::store::sql {

inline constexpr char kOneFile[] = "PRAGMA journal_mode=DELETE";
inline constexpr char kLoggedAgain[] = "PRAGMA journal_mode=WAL";
inline constexpr char kCheckPages[] = "PRAGMA quick_check(1)";
inline constexpr char kMakeBackupTables[] =
    "CREATE TABLE backup_note (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;"
    "CREATE TABLE backup_file (name TEXT PRIMARY KEY, mode INTEGER NOT NULL, contents BLOB NOT NULL) STRICT;";
inline constexpr char kDropBackupTables[] = "DROP TABLE backup_note; DROP TABLE backup_file;";
inline constexpr char kInsertBackupNote[] = "INSERT INTO backup_note (name, value) VALUES (?1, ?2)";
inline constexpr char kInsertBackupFile[] = "INSERT INTO backup_file (name, mode, contents) VALUES (?1, ?2, ?3)";
inline constexpr char kBackupNote[] = "SELECT value FROM backup_note WHERE name = ?1";
inline constexpr char kBackupFiles[] = "SELECT name, mode, contents FROM backup_file ORDER BY name";

}  // namespace birthmark::store::sql
