// SPDX-License-Identifier: Apache-2.0
// Owners for OpenSSL objects and the one way its errors are read. The only header of the project (with net/tls*) that may be the
// reason for an OpenSSL include elsewhere: nowhere outside crypto/.
#pragma once

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <memory>
#include <string>

#include "base/bytes.h"
#include "base/result.h"

namespace birthmark::crypto {

template <auto Free>
struct Freer {
  template <class T>
  void operator()(T* object) const {
    Free(object);
  }
};

using BioHandle = std::unique_ptr<BIO, Freer<BIO_free_all>>;
using PkeyHandle = std::unique_ptr<EVP_PKEY, Freer<EVP_PKEY_free>>;
using PkeyContextHandle = std::unique_ptr<EVP_PKEY_CTX, Freer<EVP_PKEY_CTX_free>>;
using DigestHandle = std::unique_ptr<EVP_MD, Freer<EVP_MD_free>>;
using DigestContextHandle = std::unique_ptr<EVP_MD_CTX, Freer<EVP_MD_CTX_free>>;
using X509Handle = std::unique_ptr<X509, Freer<X509_free>>;
using X509ReqHandle = std::unique_ptr<X509_REQ, Freer<X509_REQ_free>>;
using X509CrlHandle = std::unique_ptr<X509_CRL, Freer<X509_CRL_free>>;
using X509RevokedHandle = std::unique_ptr<X509_REVOKED, Freer<X509_REVOKED_free>>;
using X509NameHandle = std::unique_ptr<X509_NAME, Freer<X509_NAME_free>>;
using X509ExtensionHandle = std::unique_ptr<X509_EXTENSION, Freer<X509_EXTENSION_free>>;
using BignumHandle = std::unique_ptr<BIGNUM, Freer<BN_free>>;
using Asn1IntegerHandle = std::unique_ptr<ASN1_INTEGER, Freer<ASN1_INTEGER_free>>;
using Asn1TimeHandle = std::unique_ptr<ASN1_TIME, Freer<ASN1_TIME_free>>;

// Empties the thread's error queue into one line. Call it whenever an OpenSSL function failed.
[[nodiscard]] std::string take_openssl_errors();

// fail(code, message, <the error queue>).
[[nodiscard]] tl::unexpected<Error> openssl_failure(ErrorCode code, std::string public_message);

}  // namespace birthmark::crypto
