// SPDX-License-Identifier: Apache-2.0
// Owners for libssl's objects and the one way its errors are read. For net/tls*.cpp only: nothing else of net/ may see OpenSSL.
#pragma once

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <memory>
#include <string>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"

namespace birthmark::net::tls {

template <auto Free>
struct Freer {
  template <class T>
  void operator()(T* object) const {
    Free(object);
  }
};

using SslHandle = std::unique_ptr<SSL, Freer<SSL_free>>;
using SslContextHandle = std::unique_ptr<SSL_CTX, Freer<SSL_CTX_free>>;
using X509Handle = std::unique_ptr<X509, Freer<X509_free>>;
using PkeyHandle = std::unique_ptr<EVP_PKEY, Freer<EVP_PKEY_free>>;
using StoreHandle = std::unique_ptr<X509_STORE, Freer<X509_STORE_free>>;
using StoreContextHandle = std::unique_ptr<X509_STORE_CTX, Freer<X509_STORE_CTX_free>>;
using BioHandle = std::unique_ptr<BIO, Freer<BIO_free_all>>;

// Empties the thread's error queue into one line.
[[nodiscard]] std::string take_errors();
// Strict about trailing bytes. `library`: where its key will be used; null: OpenSSL's default.
[[nodiscard]] Result<X509Handle> read_certificate(ByteView der, OSSL_LIB_CTX* library = nullptr);
[[nodiscard]] Result<Bytes> to_der(X509* certificate);
[[nodiscard]] Result<PkeyHandle> read_private_key(const std::string& pem);
// The common name for the log, or "-".
[[nodiscard]] std::string subject_of(X509* certificate);

}  // namespace birthmark::net::tls
