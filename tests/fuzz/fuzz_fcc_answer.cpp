// SPDX-License-Identifier: Apache-2.0
// What a gateway answers: any octets are refused, or read into parts within their limits; and cutting them anywhere changes nothing.
#include <cstddef>
#include <cstdint>
#include <string>

#include "crypto/x509_codec.h"
#include "faces/izuma/fcc_frame.h"
#include "faces/izuma/fcc_reply.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace birthmark;
  using namespace birthmark::faces::izuma;
  static const auto codec = crypto::make_x509_codec().value();
  const std::string_view octets(reinterpret_cast<const char*>(data), size);
  ResponseFrame whole, cut;
  const bool good = whole.feed(octets, *codec).has_value();
  const std::size_t at = size / 2;
  bool cut_good = cut.feed(octets.substr(0, at), *codec).has_value();
  if (cut_good && at < size) cut_good = cut.feed(octets.substr(at), *codec).has_value();
  BIRTHMARK_ASSERT(good == cut_good && (!good || whole.complete() == cut.complete()));
  // The CBOR behind the hash, which the fuzzer would not find.
  const auto reply = parse_fcc_reply({data, size});
  if (reply) {
    BIRTHMARK_ASSERT(reply->info.size() <= 4096 && reply->info.find('\n') == std::string::npos);
    BIRTHMARK_ASSERT(!describe_fcc_status(*reply).empty());
    for (const FccCsr& csr : reply->csrs) {
      BIRTHMARK_ASSERT(!csr.der.empty());
      static_cast<void>(codec->read_csr_der(csr.der));
    }
  }
  return 0;
}
