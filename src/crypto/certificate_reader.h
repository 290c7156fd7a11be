// SPDX-License-Identifier: Apache-2.0
// Reads certificates (RFC 5280 4.1) into facts: our own to compare them with their plans, CAs and others' for what they say. Verifies no
// signature and judges nothing. DER framing is required; of foreign habits, long or negative serials and explicit defaults are accepted.
#pragma once

#include "base/bytes.h"
#include "base/result.h"
#include "core/certificate.h"

namespace birthmark::crypto {

[[nodiscard]] Result<core::CertificateFacts> read_certificate(ByteView der);

}  // namespace birthmark::crypto
