R"sql(
-- SPDX-License-Identifier: Apache-2.0
-- Migration 5: production orders and their lists of devices.
CREATE TABLE production_order (
  id INTEGER PRIMARY KEY,
  factory INTEGER NOT NULL REFERENCES factory(id),
  name TEXT NOT NULL,
  state INTEGER NOT NULL CHECK (state IN (1, 2, 3)),  -- importing, open, closed
  lists_devices INTEGER NOT NULL,
  pattern TEXT NOT NULL,
  places INTEGER,
  used INTEGER NOT NULL DEFAULT 0,
  listed INTEGER NOT NULL DEFAULT 0,
  hardware_ids TEXT NOT NULL,  -- one a line
  valid_from INTEGER,
  valid_until INTEGER,
  production INTEGER,
  device_group TEXT NOT NULL,
  test INTEGER NOT NULL,
  valid_for INTEGER,
  created_at INTEGER NOT NULL,
  CHECK (used >= 0 AND (places IS NULL OR used <= places))
) STRICT;
CREATE UNIQUE INDEX production_order_name ON production_order(factory, name);
CREATE INDEX production_order_for_any ON production_order(factory) WHERE state = 2 AND lists_devices = 0;

-- A list is staged piece by piece; its entries count once `complete` is set.
CREATE TABLE order_import (
  id INTEGER PRIMARY KEY,
  production_order INTEGER NOT NULL REFERENCES production_order(id),
  complete INTEGER NOT NULL,
  entries INTEGER NOT NULL
) STRICT;
CREATE INDEX order_import_order ON order_import(production_order);

CREATE TABLE order_entry (
  id INTEGER PRIMARY KEY,
  import INTEGER NOT NULL REFERENCES order_import(id),
  production_order INTEGER NOT NULL,
  external_id ANY NOT NULL,  -- as in identity
  name TEXT NOT NULL,
  hardware_id TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX order_entry_device ON order_entry(external_id, production_order);
CREATE INDEX order_entry_import ON order_entry(import);

-- The order in which an identity has its place. No foreign key: rows of orders with places are never deleted, and without an index
-- here the check would read every device.
ALTER TABLE identity ADD COLUMN production_order INTEGER;
)sql"
