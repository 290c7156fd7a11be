// SPDX-License-Identifier: Apache-2.0
// Addresses: any text is refused, or split into parts that a request can be made of.
#include <cstddef>
#include <cstdint>
#include <string>

#include "net/client.h"
#include "net/url.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace birthmark;
  const std::string text(reinterpret_cast<const char*>(data), size);
  const auto url = net::parse_url(text);
  if (url) {
    BIRTHMARK_ASSERT(!url->host.empty() && !url->port.empty() && url->target.starts_with('/'));
    BIRTHMARK_ASSERT((url->authority + url->target).find_first_of(" \r\n") == std::string::npos);
  }
  BIRTHMARK_ASSERT(net::percent_encoded(text).find_first_of("/?#& \r\n") == std::string::npos);
  return 0;
}
