// SPDX-License-Identifier: Apache-2.0
// ZAttestReq from nodes: certificates, and the quote inside it; and PCR templates from operators.
#include <eve.pb.h>

#include <cstdlib>

#include "crypto/certificate_reader.h"
#include "faces/eve/envelope.h"
#include "faces/eve/quote.h"

using namespace birthmark;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto values = faces::eve::read_pcr_template(text))
    for (const auto& [index, value] : *values)
      if (index > 31 || value.size() != 64) std::abort();
  static_cast<void>(faces::eve::read_quote({data, size}));
  eve::wire::ZAttestReq request;
  if (!request.ParseFromArray(data, static_cast<int>(size))) return 0;
  for (const auto& certificate : request.certs())
    if (const auto der = faces::eve::read_wrapped_certificate(certificate.cert())) static_cast<void>(crypto::read_certificate(*der));
  if (const auto quote = faces::eve::read_quote(as_bytes(request.quote().attestdata())))
    if (quote->extra_data.size() > request.quote().attestdata().size()) std::abort();
  return 0;
}
