// SPDX-License-Identifier: Apache-2.0
// gzip from nodes: never more than the bound in memory, whatever it claims to hold.
#include <cstdlib>

#include "faces/eve/gzip.h"

using namespace birthmark;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t kMost = 1U << 20U;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto unpacked = faces::eve::unpack_gzip(text, kMost);
  const auto checked = faces::eve::check_gzip(text, kMost);
  if (unpacked.has_value() != checked.has_value()) std::abort();
  if (unpacked && unpacked->size() > kMost) std::abort();
  return 0;
}
