// SPDX-License-Identifier: Apache-2.0
// The two forms of an ECDSA signature: DER (RFC 3279 2.2.3), and r and s side by side, each as long as the curve, as EVE's envelopes have
// it.
#pragma once

#include <optional>

#include "base/bytes.h"

namespace birthmark {

// `raw` is r then s, each half of it. Empty when its length is odd, zero or above 132.
[[nodiscard]] Bytes ecdsa_to_der(ByteView raw);
// r and s, each padded on the left to `curve_bytes`. Nothing when `der` is no ECDSA-Sig-Value, or a number is too long for the curve.
[[nodiscard]] std::optional<Bytes> ecdsa_to_raw(ByteView der, std::size_t curve_bytes);

}  // namespace birthmark
