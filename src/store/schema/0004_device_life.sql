R"sql(
-- SPDX-License-Identifier: Apache-2.0
-- Migration 4: what operators do to a device after it was registered.
ALTER TABLE identity ADD COLUMN device_group TEXT NOT NULL DEFAULT '';
ALTER TABLE identity ADD COLUMN rekey_until INTEGER;                 -- until then one enrollment may bring another key
ALTER TABLE identity ADD COLUMN deleted INTEGER NOT NULL DEFAULT 0;  -- with status 2: denied because it was deleted
)sql"
