// SPDX-License-Identifier: Apache-2.0
// Requests that are well-formed but not of the devices' usual shape (P-384, P-521, RSA, other hashes and string types), read and verified
// by the OpenSSL API. Called by the codec after csr_reader answered OtherShape; never with anything else.
#pragma once

#include "base/bytes.h"
#include "base/result.h"
#include "core/certificate.h"
#include "crypto/x509_codec.h"

namespace birthmark::crypto {

// `algorithm` is what csr_reader saw; kinds of key that are not certified are refused before OpenSSL sees them. Accepted is only what
// encodes again to the same octets, with a key that passes OpenSSL's public check, signed with SHA-2.
[[nodiscard]] Result<core::CsrFacts> read_other_shape(ByteView der, core::KeyAlgorithm algorithm, const CodecOptions& options);

}  // namespace birthmark::crypto
