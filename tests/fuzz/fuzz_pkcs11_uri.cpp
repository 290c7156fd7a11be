// SPDX-License-Identifier: Apache-2.0
// Settings and options are an operator's, but a URI is still read by hand-written code. What is read must write itself back as the same,
// and never show a path or a PIN.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "crypto/pkcs11/uri.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using birthmark::crypto::pkcs11::Uri;
  const std::string text(reinterpret_cast<const char*>(data), size);
  const auto uri = Uri::parse(text);
  if (!uri) {
    if (uri.error().public_message.empty()) std::abort();
    return 0;
  }
  const std::string written = uri->text();
  const auto again = Uri::parse(written);
  if (!again || again->text() != written) std::abort();
  Uri without_query = *uri;
  without_query.module_path.clear();
  without_query.pin_file.clear();
  if (!(*again == without_query)) std::abort();
  return 0;
}
