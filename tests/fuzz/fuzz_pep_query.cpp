// SPDX-License-Identifier: Apache-2.0
// Query strings of pep's clients: any octets are refused, or become a request that is safe to answer.
#include <boost/json.hpp>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "faces/izuma/pep_face.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace birthmark;
  using namespace birthmark::faces::izuma;
  const auto query = Query::parse({reinterpret_cast<const char*>(data), size});
  if (!query) return 0;
  const auto request = read_identity_request(*query, "10.0.0.1");
  if (!request) return 0;
  BIRTHMARK_ASSERT(check_serial_number(request->serial_number));
  BIRTHMARK_ASSERT(request->port != 0 && core::parse_address(request->address));
  core::GatewayRecord gateway;
  gateway.draft.fields = request->fields;
  boost::system::error_code error;
  const auto document = boost::json::parse(identity_document(gateway), error);
  BIRTHMARK_ASSERT(!error && document.is_object());
  const auto* serial = document.get_object().if_contains("serialNumber");
  BIRTHMARK_ASSERT(serial != nullptr && serial->get_string() == request->serial_number);
  return 0;
}
