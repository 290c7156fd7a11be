// SPDX-License-Identifier: Apache-2.0
#include "crypto/openssl.h"

#include <array>

namespace birthmark::crypto {

std::string take_openssl_errors() {
  std::string line;
  std::array<char, 256> text{};
  while (const unsigned long code = ERR_get_error()) {
    ERR_error_string_n(code, text.data(), text.size());
    if (!line.empty()) line += "; ";
    line += text.data();
  }
  return line.empty() ? "no reason given by OpenSSL" : line;
}

tl::unexpected<Error> openssl_failure(ErrorCode code, std::string public_message) {
  return fail(code, std::move(public_message), take_openssl_errors());
}

}  // namespace birthmark::crypto
