// SPDX-License-Identifier: Apache-2.0
// For this room's tests and fuzz targets only: the OpenSSL API as a second opinion, and files of tests/data.
#pragma once

#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>

#include "crypto/openssl.h"
#include "crypto/private_key.h"

namespace birthmark::crypto::testing {

// The value, or the test program ends saying why not. For set-up that is not what the test is about.
template <class T>
[[nodiscard]] T must(Result<T> result) {
  if (!result) {
    std::cerr << "test set-up failed: " << result.error().describe() << "\n";
    std::abort();
  }
  return std::move(*result);
}

[[nodiscard]] inline Bytes encode_public_key(const EVP_PKEY* key) {
  unsigned char* encoded = nullptr;
  const int size = i2d_PUBKEY(key, &encoded);
  if (size <= 0) return {};
  Bytes spki(encoded, encoded + size);
  OPENSSL_free(encoded);
  return spki;
}

[[nodiscard]] inline Bytes encode_name(const X509_NAME* name) {
  unsigned char* encoded = nullptr;
  const int size = i2d_X509_NAME(name, &encoded);
  if (size <= 0) return {};
  Bytes der(encoded, encoded + size);
  OPENSSL_free(encoded);
  return der;
}

// A key as OpenSSL makes it, in the PKCS#8 form.
[[nodiscard]] inline std::string pkcs8_pem(EVP_PKEY* key) {
  const BioHandle bio(BIO_new(BIO_s_mem()));
  if (PEM_write_bio_PKCS8PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr) != 1) std::abort();
  char* text = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &text);
  return {text, static_cast<std::size_t>(size)};
}

[[nodiscard]] inline PrivateKey generate_ec(const char* curve) {
  const PkeyHandle key(EVP_EC_gen(curve));
  return must(PrivateKey::from_pem(pkcs8_pem(key.get())));
}

[[nodiscard]] inline PrivateKey generate_rsa(unsigned bits) {
  const PkeyHandle key(EVP_RSA_gen(bits));
  return must(PrivateKey::from_pem(pkcs8_pem(key.get())));
}

[[nodiscard]] inline bool verifies(EVP_PKEY* key, const char* digest, ByteView message, ByteView signature) {
  const DigestContextHandle context(EVP_MD_CTX_new());
  const bool good = EVP_DigestVerifyInit_ex(context.get(), nullptr, digest, nullptr, nullptr, key, nullptr) == 1 &&
                    EVP_DigestVerify(context.get(), signature.data(), signature.size(), message.data(), message.size()) == 1;
  ERR_clear_error();
  return good;
}

[[nodiscard]] inline std::string read_test_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    std::cerr << "cannot open " << path << "\n";
    std::abort();
  }
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace birthmark::crypto::testing
