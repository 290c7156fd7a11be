// SPDX-License-Identifier: Apache-2.0
#include "upstream/device_answer.h"

#include <algorithm>
#include <boost/json.hpp>
#include <charconv>

#include "base/pem.h"

namespace birthmark::upstream {

namespace json = boost::json;

std::string noted(std::string_view text) {
  constexpr std::size_t kLongestNote = 300;
  std::string line(text.substr(0, kLongestNote));
  std::replace_if(line.begin(), line.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }, ' ');
  return line;
}

std::optional<Duration> retry_after(const net::ClientResponse& response, std::time_t now) {
  constexpr std::int64_t kDay = 86'400;
  const std::string_view text = response.header("Retry-After");
  std::int64_t seconds = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), seconds);
  const bool number = !text.empty() && read.ec == std::errc{} && read.ptr == text.data() + text.size();
  if (!number) {
    const auto until = response.moment("Retry-After");
    if (!until) return std::nullopt;
    // Two clocks need not agree, but what one of them says of itself does.
    seconds = std::max<std::int64_t>(*until - response.moment("Date").value_or(now), 0);
  }
  if (seconds < 0) return std::nullopt;
  return std::chrono::seconds(std::min(seconds, kDay));
}

std::optional<Bytes> public_key_in(std::string_view body) {
  boost::system::error_code failure;
  const json::value value = json::parse(json::string_view(body.data(), body.size()), failure);
  if (failure || !value.is_object()) return std::nullopt;
  for (const char* member : {"public-key", "pubkey"}) {
    const json::value* key = value.get_object().if_contains(member);
    if (key == nullptr || !key->is_string()) continue;
    auto block = decode_first_pem(key->get_string());
    if (block && block->label == "PUBLIC KEY") return std::move(block->contents);
  }
  return std::nullopt;
}

}  // namespace birthmark::upstream
