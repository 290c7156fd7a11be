R"sql(
-- SPDX-License-Identifier: Apache-2.0
-- Migration 8: certificates of stations and operators, by this server's own CA. Rows are never deleted, so that the audit's serials stay
-- resolvable.
CREATE TABLE site_certificate (
  id INTEGER PRIMARY KEY,
  factory INTEGER NOT NULL REFERENCES factory(id),
  role INTEGER NOT NULL CHECK (role IN (1, 2)),  -- station, operator
  holder TEXT NOT NULL,
  fingerprint BLOB NOT NULL UNIQUE CHECK (length(fingerprint) = 32),
  serial BLOB NOT NULL,
  created_at INTEGER NOT NULL,
  not_after INTEGER NOT NULL,
  revoked_at INTEGER
) STRICT;
)sql"
