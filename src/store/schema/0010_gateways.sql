R"sql(
-- SPDX-License-Identifier: Apache-2.0
-- Migration: Izuma Edge gateways. Of their certificates certificate_der keeps the SHA-256 alone (32 bytes, which no certificate is).

CREATE TABLE gateway (
  id INTEGER PRIMARY KEY,
  identity INTEGER NOT NULL REFERENCES identity(id),
  certificate INTEGER NOT NULL,     -- a row of certificate; 0: imported
  state INTEGER NOT NULL CHECK (state IN (1, 2, 3)),  -- issued, provisioned, superseded
  created_at INTEGER NOT NULL,
  settled_at INTEGER,
  fields TEXT NOT NULL,
  verification_key TEXT NOT NULL,
  enrollment_id TEXT NOT NULL,
  target TEXT NOT NULL,
  tenant TEXT NOT NULL,
  notes TEXT NOT NULL
) STRICT;
CREATE INDEX gateway_identity ON gateway(identity);
CREATE INDEX gateway_unsettled ON gateway(id) WHERE state = 1;
)sql"
