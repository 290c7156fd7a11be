// SPDX-License-Identifier: Apache-2.0
// The Time of RFC 5280 4.1.2.5, both ways: UTCTime for 1950 to 2049, GeneralizedTime from 2050 on, whole seconds, always "Z".
#pragma once

#include <optional>

#include "base/bytes.h"
#include "base/time.h"
#include "crypto/der_reader.h"

namespace birthmark::crypto {

[[nodiscard]] std::optional<Instant> read_time(const der::Value& time);
// Appends the value; false for a moment that no Time can express (fractions of a second, years outside 1950 to 9999).
[[nodiscard]] bool append_time(Bytes& to, Instant at);

}  // namespace birthmark::crypto
