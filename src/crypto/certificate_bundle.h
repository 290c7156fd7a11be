// SPDX-License-Identifier: Apache-2.0
// Certificates without a signature around them: the degenerate SignedData of RFC 2315 9.1, as EST answers with (RFC 7030 4.1.3).
#pragma once

#include <vector>

#include "base/bytes.h"

namespace birthmark::crypto {

// In the order given: fioconfig takes the first (protocol facts, gateway 3.6), so a device's own certificate goes alone.
[[nodiscard]] Bytes encode_certificate_bundle(const std::vector<ByteView>& certificates);

}  // namespace birthmark::crypto
