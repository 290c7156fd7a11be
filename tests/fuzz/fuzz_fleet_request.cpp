// SPDX-License-Identifier: Apache-2.0
// Queries of lists, forms of the device flow, typed codes and forwarded addresses: refused, or read into what they say.
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/text.h"
#include "core/oauth_desk.h"
#include "faces/factory_api/answers.h"
#include "faces/factory_api/approval_page.h"
#include "faces/factory_api/client_address.h"
#include "faces/factory_api/list_query.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace birthmark;
  namespace api = faces::factory_api;
  const std::string text(reinterpret_cast<const char*>(data), size);
  const auto request = api::parse_list_request("/ota/devices/", text, "acme", {}, "owner");
  if (request) {
    BIRTHMARK_ASSERT(request->query.limit >= 1 && request->query.limit <= 1000 && request->page >= 1);
    BIRTHMARK_ASSERT(is_utf8(request->query.name) && request->query.after >= 0);
    // What it says of the page that follows is read again as that.
    core::DeviceSummary last;
    last.row = 7;
    last.name = request->query.name;
    const std::string next = api::next_page(*request, last);
    const auto again = api::parse_list_request("/ota/devices/", std::string_view(next).substr(next.find('?') + 1), "acme", {}, "owner");
    BIRTHMARK_ASSERT(again && (again->query.after == 7 || again->page == request->page + 1));
  }
  const auto value = api::query_value(text, "user_code");
  if (value) BIRTHMARK_ASSERT(is_utf8(*value));
  const std::string code = core::normal_user_code(text);
  BIRTHMARK_ASSERT(code.empty() || (code.size() == 9 && core::normal_user_code(code) == code));
  BIRTHMARK_ASSERT(api::html_escaped(text).find_first_of("<>\"'") == std::string::npos);
  net::Request forwarded;
  forwarded.peer.address = "127.0.0.1";
  forwarded.headers.emplace_back("X-Forwarded-For", text);
  const auto proxies = core::private_networks();
  const std::string address = api::client_address(forwarded, proxies);
  BIRTHMARK_ASSERT(core::parse_address(address).has_value());
  return 0;
}
