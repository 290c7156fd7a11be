R"sql(
-- SPDX-License-Identifier: Apache-2.0
-- Migration 9: EVE nodes, the onboarding certificates that let them in, and those who wait outside.
CREATE TABLE onboarding_certificate (
  id INTEGER PRIMARY KEY,
  factory INTEGER NOT NULL REFERENCES factory(id),
  fingerprint BLOB NOT NULL,
  name TEXT NOT NULL,
  any_serial INTEGER NOT NULL,
  globs TEXT NOT NULL,  -- one a line
  places INTEGER,
  used INTEGER NOT NULL DEFAULT 0,
  listed INTEGER NOT NULL DEFAULT 0,
  expires_at INTEGER,
  revoked_at INTEGER,
  created_at INTEGER NOT NULL,
  der BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX onboarding_certificate_der ON onboarding_certificate(factory, fingerprint);
CREATE UNIQUE INDEX onboarding_certificate_name ON onboarding_certificate(factory, name);

CREATE TABLE onboarding_serial (
  id INTEGER PRIMARY KEY,
  certificate INTEGER NOT NULL REFERENCES onboarding_certificate(id),
  serial TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX onboarding_serial_listed ON onboarding_serial(certificate, serial);

-- What makes a node unique, beside its identity. The public key stands here so that a request costs two narrow rows.
CREATE TABLE node (
  identity INTEGER PRIMARY KEY REFERENCES identity(id),
  factory INTEGER NOT NULL REFERENCES factory(id),
  onboarding INTEGER NOT NULL REFERENCES onboarding_certificate(id),
  registered_at INTEGER NOT NULL,
  certificate BLOB NOT NULL,  -- SHA-256 of its DER
  spki BLOB NOT NULL,
  certificate_row INTEGER NOT NULL,  -- of certificate and certificate_der
  serial TEXT NOT NULL,
  hardware_serial TEXT NOT NULL,
  soft_serial TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX node_certificate ON node(certificate, factory);
CREATE UNIQUE INDEX node_serial ON node(onboarding, serial);

CREATE TABLE knock (
  id INTEGER PRIMARY KEY,
  factory INTEGER NOT NULL REFERENCES factory(id),
  fingerprint BLOB NOT NULL,
  serial TEXT NOT NULL,
  soft_serial TEXT NOT NULL,
  certificate BLOB NOT NULL,
  peer TEXT NOT NULL,
  reason TEXT NOT NULL,
  first_at INTEGER NOT NULL,
  last_at INTEGER NOT NULL,
  count INTEGER NOT NULL,
  der BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX knock_of ON knock(fingerprint, serial, soft_serial, factory);
)sql"
