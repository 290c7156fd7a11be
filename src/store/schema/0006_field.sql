R"sql(
-- SPDX-License-Identifier: Apache-2.0
-- Migration 6: what the gateway keeps: logs of documents by owner and kind, and at most one key on its way for each identity.
CREATE TABLE field_log (
  id INTEGER PRIMARY KEY,
  factory INTEGER NOT NULL REFERENCES factory(id),
  at INTEGER NOT NULL,
  owner TEXT NOT NULL,
  kind TEXT NOT NULL,
  body BLOB NOT NULL
) STRICT;
CREATE INDEX field_log_of ON field_log(owner, kind, factory, id);
CREATE UNIQUE INDEX credential_pending ON credential(identity) WHERE state = 1;
)sql"
