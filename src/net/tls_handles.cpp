// SPDX-License-Identifier: Apache-2.0
#include "net/tls_handles.h"

#include <openssl/pem.h>

#include <array>

namespace birthmark::net::tls {

std::string take_errors() {
  std::string line;
  std::array<char, 256> text{};
  while (const unsigned long code = ERR_get_error()) {
    ERR_error_string_n(code, text.data(), text.size());
    if (!line.empty()) line += "; ";
    line += text.data();
  }
  return line;
}

Result<X509Handle> read_certificate(ByteView der, OSSL_LIB_CTX* library) {
  const unsigned char* at = der.data();
  X509* into = X509_new_ex(library, nullptr);
  const bool read = into != nullptr && d2i_X509(&into, &at, static_cast<long>(der.size())) != nullptr;
  X509Handle certificate(into);
  if (!read || at != der.data() + der.size()) return fail(ErrorCode::invalid, "not a DER certificate", take_errors());
  return certificate;
}

Result<Bytes> to_der(X509* certificate) {
  const int size = i2d_X509(certificate, nullptr);
  if (size <= 0) return fail(ErrorCode::internal, "a certificate cannot be encoded", take_errors());
  Bytes der(static_cast<std::size_t>(size));
  unsigned char* to = der.data();
  if (i2d_X509(certificate, &to) != size) return fail(ErrorCode::internal, "a certificate cannot be encoded", take_errors());
  return der;
}

Result<PkeyHandle> read_private_key(const std::string& pem) {
  const BioHandle bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  if (!bio) return fail(ErrorCode::unavailable, "out of memory", take_errors());
  // A callback, so that an encrypted key is refused rather than asked about on the terminal.
  const auto no_password = [](char*, int, int, void*) { return -1; };
  PkeyHandle key(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_password, nullptr));
  if (!key) return fail(ErrorCode::misconfigured, "not an unencrypted PEM private key", take_errors());
  return key;
}

std::string subject_of(X509* certificate) {
  std::array<char, 128> text{};
  const int size = X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, text.data(), text.size());
  return size > 0 ? std::string(text.data()) : std::string("-");
}

}  // namespace birthmark::net::tls
