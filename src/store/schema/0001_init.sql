R"sql(
-- SPDX-License-Identifier: Apache-2.0
-- Migration 1: the whole registry. Embedded by store/sqlite/migrations.cpp (hence the first and last line).
-- All tables are rowid tables with narrow unique indexes; of all of them only identity_external is hit at random, the others append.

CREATE TABLE factory (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE
) STRICT;

-- One device as its ecosystem names it. Rows are never deleted: a released identity is made anew in place.
CREATE TABLE identity (
  id INTEGER PRIMARY KEY,
  factory INTEGER NOT NULL REFERENCES factory(id),
  ecosystem INTEGER NOT NULL,
  external_id ANY NOT NULL,    -- 16 bytes when it is a lower-case UUID, text otherwise
  device_id BLOB,              -- absent until the first enrollment
  status INTEGER NOT NULL CHECK (status IN (1, 2, 3)),  -- active, denied, released
  production INTEGER NOT NULL,
  created_at INTEGER NOT NULL, -- all moments: milliseconds since 1970
  last_seen INTEGER,
  name TEXT NOT NULL,
  hardware_id TEXT NOT NULL,
  station TEXT NOT NULL,
  CHECK (length(external_id) BETWEEN 1 AND 256)
) STRICT;
CREATE UNIQUE INDEX identity_external ON identity(external_id, factory, ecosystem);
-- Few rows, never touched by an enrollment: makes the deny list cheap to print.
CREATE INDEX identity_not_active ON identity(status, id) WHERE status <> 1;

-- A key of an identity. At most one counts: the current one, or the denied one of a denied identity.
CREATE TABLE credential (
  id INTEGER PRIMARY KEY,
  identity INTEGER NOT NULL REFERENCES identity(id),
  state INTEGER NOT NULL CHECK (state IN (1, 2, 3, 4)),  -- pending, current, superseded, denied
  newest_certificate INTEGER NOT NULL,  -- a row of certificate, written in the same transaction: an index saved on the hot path
  spki_sha256 BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX credential_standing ON credential(identity) WHERE state IN (2, 4);

-- A certificate of the factory's PKI as the server trusts it.
CREATE TABLE authority (
  id INTEGER PRIMARY KEY,
  factory INTEGER NOT NULL REFERENCES factory(id),
  role INTEGER NOT NULL,
  state INTEGER NOT NULL,
  changed_at INTEGER NOT NULL,
  der BLOB NOT NULL
) STRICT;

CREATE TABLE certificate (
  id INTEGER PRIMARY KEY,
  credential INTEGER NOT NULL REFERENCES credential(id),
  issuer INTEGER NOT NULL REFERENCES authority(id),
  not_before INTEGER NOT NULL,
  not_after INTEGER NOT NULL,
  issued_at INTEGER NOT NULL,
  delivery INTEGER NOT NULL,
  serial BLOB NOT NULL,
  station TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX certificate_serial ON certificate(issuer, serial);

-- Apart from the certificate rows, so that lists and checks read narrow pages.
CREATE TABLE certificate_der (
  certificate INTEGER PRIMARY KEY REFERENCES certificate(id),
  der BLOB NOT NULL
) STRICT;

-- The hash chain. The key is stream and sequence in one integer, so that a stream appends to one tree; body is what was hashed,
-- and no migration may ever rewrite it.
CREATE TABLE audit (
  position INTEGER PRIMARY KEY,
  hash BLOB NOT NULL,
  body TEXT NOT NULL,
  stream INTEGER GENERATED ALWAYS AS (position >> 40) VIRTUAL,
  sequence INTEGER GENERATED ALWAYS AS (position & 1099511627775) VIRTUAL
) STRICT;

-- One row: figures that change with every transaction, kept together so that they cost one page.
CREATE TABLE registry_state (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  trust_epoch INTEGER NOT NULL,
  clock_mark INTEGER,
  devices INTEGER NOT NULL,
  denied INTEGER NOT NULL,
  certificates INTEGER NOT NULL
) STRICT;
INSERT INTO registry_state (id, trust_epoch, clock_mark, devices, denied, certificates) VALUES (1, 0, NULL, 0, 0, 0);
)sql"
