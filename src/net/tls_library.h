// SPDX-License-Identifier: Apache-2.0
// The OpenSSL library context in which our servers' handshakes run: the default provider's algorithms without those that no handshake
// needs. In OpenSSL 3.0 reading the public key of a peer's certificate asks every decoder and every kind of key there is, under locks:
// three quarters of what reading a certificate costs, a fifth of a mutual handshake. For net/tls*.cpp only.
#pragma once

#include <openssl/types.h>

namespace birthmark::net::tls {

// Made with the first call, from any thread, and kept to the end of the process. Null, which is OpenSSL's own default, where it cannot be
// made.
[[nodiscard]] OSSL_LIB_CTX* server_library();

}  // namespace birthmark::net::tls
