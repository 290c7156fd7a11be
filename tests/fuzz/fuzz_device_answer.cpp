// SPDX-License-Identifier: Apache-2.0
// An upstream's answers: any bytes give a key, a span or nothing, and a note of one harmless line.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "upstream/device_answer.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace birthmark;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  static_cast<void>(upstream::public_key_in(text));
  net::ClientResponse response;
  const std::size_t cut = size / 2;
  response.headers = {{"Retry-After", std::string(text.substr(0, cut))}, {"Date", std::string(text.substr(cut))}};
  const auto span = upstream::retry_after(response, 1'800'000'000);
  BIRTHMARK_ASSERT(!span || (*span >= Duration::zero() && *span <= std::chrono::hours(24)));
  const std::string note = upstream::noted(text);
  BIRTHMARK_ASSERT(note.size() <= 300 && note.find_first_of("\n\r\x1b") == std::string::npos);
  return 0;
}
