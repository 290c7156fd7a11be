// SPDX-License-Identifier: Apache-2.0
// Hashing with one reused context a thread and digests fetched once. SHA-1 is here for key identifiers alone (RFC 5280 4.2.1.2).
#pragma once

#include <array>
#include <span>

#include "base/ids.h"
#include "crypto/openssl.h"

namespace birthmark::crypto {

using Sha1Digest = std::array<std::uint8_t, 20>;

[[nodiscard]] Sha256Digest sha256(ByteView bytes);
[[nodiscard]] Sha1Digest sha1(ByteView bytes);

// Hashes into `to`, which must hold EVP_MAX_MD_SIZE octets, and answers the part that was used. Aborts when OpenSSL has no such digest: a
// broken installation, never an input.
[[nodiscard]] ByteView hash_into(std::span<std::uint8_t, EVP_MAX_MD_SIZE> to, const EVP_MD* digest, ByteView bytes);

}  // namespace birthmark::crypto
