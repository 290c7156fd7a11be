// SPDX-License-Identifier: Apache-2.0
#include "net/url.h"

#include <algorithm>

#include "net/ascii.h"
#include "net/client.h"

namespace birthmark::net {
namespace {

tl::unexpected<Error> bad_url(const std::string& url, std::string_view why) {
  return fail(ErrorCode::invalid, "cannot ask \"" + url + "\": " + std::string(why));
}

bool is_printable(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < '\x7f'; });
}

bool starts_with_scheme(std::string_view text, std::string_view scheme) {
  return equal_ignoring_case(text.substr(0, scheme.size()), scheme);
}

// RFC 3986 3.2.2: an address in brackets, or a name.
void split_authority(Url& url) {
  const std::size_t bracket = url.authority.rfind(']');
  const std::size_t colon = url.authority.find(':', bracket == std::string::npos ? 0 : bracket);
  url.host = url.authority.substr(0, colon);
  if (colon != std::string::npos)
    url.port = url.authority.substr(colon + 1);
  else
    url.port = url.secure ? "443" : "80";
  if (url.host.starts_with('[') && url.host.ends_with(']')) url.host = url.host.substr(1, url.host.size() - 2);
}

}  // namespace

Result<Url> parse_url(const std::string& text) {
  constexpr std::string_view kPlain = "http://";
  constexpr std::string_view kSecure = "https://";
  const std::string_view whole(text);
  Url url;
  url.secure = starts_with_scheme(whole, kSecure);
  if (!url.secure && !starts_with_scheme(whole, kPlain)) return bad_url(text, "it must begin with https:// or http://");
  if (!is_printable(whole)) return bad_url(text, "it has a space or a control character");
  const std::size_t start = url.secure ? kSecure.size() : kPlain.size();
  const std::size_t end = std::min(whole.find_first_of("/?#", start), whole.size());
  url.authority = whole.substr(start, end - start);
  url.target = whole.substr(end, whole.find('#') == std::string_view::npos ? std::string_view::npos : whole.find('#') - end);
  if (!url.target.starts_with('/')) url.target.insert(url.target.begin(), '/');
  split_authority(url);
  if (url.host.empty() || url.host.find('@') != std::string::npos || !is_digits(url.port))
    return bad_url(text, "the host or port is missing");
  return url;
}

Status check_url(const std::string& url) {
  BIRTHMARK_TRY([[maybe_unused]] const Url parsed, parse_url(url));
  return {};
}

Status check_confidential_url(const std::string& url) {
  BIRTHMARK_TRY(const Url parsed, parse_url(url));
  const bool this_machine = parsed.host == "localhost" || parsed.host == "127.0.0.1" || parsed.host == "::1";
  if (parsed.secure || this_machine) return {};
  return fail(ErrorCode::invalid,
              "\"" + url + "\" must begin with https:// (plain http:// goes to this machine only): a secret is sent there");
}

std::string percent_encoded(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  constexpr std::string_view kUnreserved = "-._~";
  std::string encoded;
  for (const char c : text) {
    const bool plain = (c >= '0' && c <= '9') || (lower_ascii(c) >= 'a' && lower_ascii(c) <= 'z');
    if (plain || kUnreserved.find(c) != std::string_view::npos) {
      encoded += c;
      continue;
    }
    const auto octet = static_cast<unsigned char>(c);
    encoded += '%';
    encoded += kDigits[octet >> 4U];
    encoded += kDigits[octet & 15U];
  }
  return encoded;
}

}  // namespace birthmark::net
