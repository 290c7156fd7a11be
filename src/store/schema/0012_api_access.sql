R"sql(
-- SPDX-License-Identifier: Apache-2.0
-- Migration: who may call the factory API beside the bearers of API tokens. Of every secret only the SHA-256 is kept.
CREATE TABLE api_user (
  id INTEGER PRIMARY KEY,
  factory INTEGER NOT NULL REFERENCES factory(id),
  user_id TEXT NOT NULL,
  name TEXT NOT NULL,
  role INTEGER NOT NULL CHECK (role IN (1, 2, 3)),  -- owner, admin, member
  created_at INTEGER NOT NULL,
  removed_at INTEGER
) STRICT;
CREATE UNIQUE INDEX api_user_id ON api_user(factory, user_id);

-- What is known of an API token beside what it allows.
CREATE TABLE token_note (
  token TEXT PRIMARY KEY,  -- its id
  user_id TEXT NOT NULL DEFAULT '',
  last_used_at INTEGER
) STRICT;

CREATE TABLE api_client (
  id INTEGER PRIMARY KEY,
  factory INTEGER NOT NULL REFERENCES factory(id),
  client_id TEXT NOT NULL UNIQUE,
  secret_hash BLOB NOT NULL CHECK (length(secret_hash) = 32),
  user_id TEXT NOT NULL,
  scopes INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  expires_at INTEGER,
  revoked_at INTEGER,
  last_used_at INTEGER
) STRICT;

-- Tokens that were given out for a client's credentials, an approved device or a login to the approval page. Gone when they have expired.
CREATE TABLE api_grant (
  id INTEGER PRIMARY KEY,
  factory INTEGER NOT NULL REFERENCES factory(id),
  hash BLOB NOT NULL UNIQUE CHECK (length(hash) = 32),
  kind INTEGER NOT NULL CHECK (kind IN (1, 2, 3)),  -- access, refresh, session
  client_id TEXT NOT NULL,  -- empty: none
  device TEXT NOT NULL,     -- the one device it is good for; empty: any
  user_id TEXT NOT NULL,
  bearer TEXT NOT NULL,     -- who that is, for the audit
  scopes INTEGER NOT NULL,
  expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX api_grant_expiry ON api_grant(expires_at);

-- Devices that ask to be approved (RFC 8628).
CREATE TABLE api_authorization (
  id INTEGER PRIMARY KEY,
  factory INTEGER NOT NULL REFERENCES factory(id),
  device_code_hash BLOB NOT NULL UNIQUE CHECK (length(device_code_hash) = 32),
  user_code TEXT NOT NULL UNIQUE,
  device TEXT NOT NULL,
  address TEXT NOT NULL,
  state INTEGER NOT NULL CHECK (state IN (1, 2, 3)),  -- pending, approved, refused
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  decided_by TEXT NOT NULL,
  user_id TEXT NOT NULL,
  issued INTEGER NOT NULL
) STRICT;
CREATE INDEX api_authorization_expiry ON api_authorization(expires_at);
CREATE INDEX api_authorization_address ON api_authorization(address) WHERE state = 1;
)sql"
