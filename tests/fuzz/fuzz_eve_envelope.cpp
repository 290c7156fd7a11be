// SPDX-License-Identifier: Apache-2.0
// AuthContainer from strangers: taken apart, its certificate read, and what we make ourselves is read back unchanged.
#include <cstdlib>

#include "crypto/certificate_reader.h"
#include "faces/eve/envelope.h"

using namespace birthmark;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto opened = faces::eve::open_envelope(text);
  if (!opened) return 0;
  if (opened->sender_hash.size() != 16 && opened->sender_hash.size() != 32) std::abort();
  if (const auto der = faces::eve::read_wrapped_certificate(opened->sender_certificate)) static_cast<void>(crypto::read_certificate(*der));
  const std::string made = faces::eve::make_envelope(opened->payload, Bytes(32, 7), opened->signature);
  const auto again = faces::eve::open_envelope(made);
  if (!again || again->payload != opened->payload || again->signature != opened->signature) std::abort();
  return 0;
}
