R"sql(
-- SPDX-License-Identifier: Apache-2.0
-- Migration 2: API tokens. Only hashes are kept; rows are never deleted, so that the audit's ids stay resolvable.
CREATE TABLE token (
  id INTEGER PRIMARY KEY,
  factory INTEGER NOT NULL REFERENCES factory(id),
  hash BLOB NOT NULL UNIQUE CHECK (length(hash) = 32),
  name TEXT NOT NULL UNIQUE,  -- the first ten hexadecimal digits of the hash
  scopes INTEGER NOT NULL,
  station TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  expires_at INTEGER,
  revoked_at INTEGER
) STRICT;
)sql"
