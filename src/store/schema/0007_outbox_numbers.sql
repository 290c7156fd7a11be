R"sql(
-- SPDX-License-Identifier: Apache-2.0
-- Migration: a message's number is never given again, also when the newest message was delivered and is gone. Receivers of events pass
-- over a number that they have seen.

CREATE TABLE outbox_next (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  channel INTEGER NOT NULL,
  state INTEGER NOT NULL CHECK (state BETWEEN 1 AND 7),  -- waiting, sending, delivered, unverified, stopped, dropped, superseded
  may_be_there INTEGER NOT NULL,
  attempts INTEGER NOT NULL,
  identity INTEGER REFERENCES identity(id),
  certificate INTEGER,
  created_at INTEGER NOT NULL,
  due_at INTEGER NOT NULL,
  note TEXT NOT NULL,
  body TEXT NOT NULL  -- empty once it is settled for good
) STRICT;
INSERT INTO outbox_next SELECT * FROM outbox;
DROP TABLE outbox;
ALTER TABLE outbox_next RENAME TO outbox;
CREATE INDEX outbox_due ON outbox(channel, due_at, id) WHERE state = 1;
CREATE INDEX outbox_open ON outbox(channel, state, id, created_at) WHERE state IN (1, 2, 4, 5);
-- Order within a device, and what the upstream may know of it. Identities ascend, so that this index appends.
CREATE INDEX outbox_identity ON outbox(identity, channel, id);
)sql"
