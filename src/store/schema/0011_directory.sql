R"sql(
-- SPDX-License-Identifier: Apache-2.0
-- Migration: the fleet's directory: owners, groups, and lists of devices by name. Registering a device touches none of these indexes: a
-- row enters them (listed = 1) a moment later, in batches and in order of id; rows beyond listed_through are few and sorted when asked for.
-- The columns of an index's own condition stand at its end, or each entry would cost a look at the row (SQLite 3.40).
ALTER TABLE identity ADD COLUMN owner TEXT NOT NULL DEFAULT '';  -- a user's id; empty: the factory's owner
ALTER TABLE identity ADD COLUMN listed INTEGER NOT NULL DEFAULT 0;
CREATE INDEX identity_by_name ON identity(factory, production, name, id, owner, listed, ecosystem, status)
  WHERE listed = 1 AND ecosystem = 1 AND status = 1;
CREATE INDEX identity_by_group ON identity(factory, device_group, name, id, production, owner, listed, ecosystem, status)
  WHERE listed = 1 AND ecosystem = 1 AND status = 1 AND device_group <> '';
CREATE INDEX identity_by_last_seen ON identity(factory, last_seen, id, listed, ecosystem, status)
  WHERE listed = 1 AND ecosystem = 1 AND status = 1;

CREATE TABLE listing (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  listed_through INTEGER NOT NULL  -- an identity's row
) STRICT;
INSERT INTO listing (id, listed_through) VALUES (1, 0);
-- How many rows of identity are listed, whatever their status.
CREATE TABLE listing_count (
  factory INTEGER NOT NULL REFERENCES factory(id),
  ecosystem INTEGER NOT NULL,
  devices INTEGER NOT NULL,
  PRIMARY KEY (factory, ecosystem)
) STRICT;

CREATE TABLE device_group (
  id INTEGER PRIMARY KEY,
  factory INTEGER NOT NULL REFERENCES factory(id),
  name TEXT NOT NULL,
  description TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  created_by TEXT NOT NULL,
  updated_at INTEGER NOT NULL,
  updated_by TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX device_group_name ON device_group(factory, name);
)sql"
