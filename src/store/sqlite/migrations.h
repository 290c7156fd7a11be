// SPDX-License-Identifier: Apache-2.0
// Brings a database to the schema this program knows, one numbered file of store/schema/ after the other, each its own transaction.
#pragma once

#include "base/result.h"
#include "store/sqlite/connection.h"

namespace birthmark::store {

// misconfigured when the database was written by a newer version: its meaning is unknown, so it is not touched.
[[nodiscard]] Status migrate(Connection& connection);

}  // namespace birthmark::store
