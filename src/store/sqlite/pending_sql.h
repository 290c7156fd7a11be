// SPDX-License-Identifier: Apache-2.0
// What becomes of a key on its way when its identity gets another one.
#pragma once

namespace birthmark::store::sql {

inline constexpr char kSupersedePending[] = "UPDATE credential SET state = 3 WHERE identity = ?1 AND state = 1";

}  // namespace birthmark::store::sql
