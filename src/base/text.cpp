// SPDX-License-Identifier: Apache-2.0
#include "base/text.h"

#include <cstring>

namespace birthmark {
namespace {

constexpr std::string_view kHexDigits = "0123456789abcdef";
constexpr std::string_view kBase64Digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::uint8_t kNotADigit = 0xff;

constexpr std::array<std::uint8_t, 256> make_reverse(std::string_view digits) {
  std::array<std::uint8_t, 256> table{};
  table.fill(kNotADigit);
  for (std::size_t i = 0; i < digits.size(); ++i) table[static_cast<unsigned char>(digits[i])] = static_cast<std::uint8_t>(i);
  return table;
}
constexpr auto kBase64Values = make_reverse(kBase64Digits);

constexpr std::uint8_t base64_value(char c) {
  return kBase64Values[static_cast<unsigned char>(c)];
}

constexpr std::uint8_t hex_value(char c) {
  if (c >= '0' && c <= '9') return static_cast<std::uint8_t>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<std::uint8_t>(c - 'a' + 10);
  if (c >= 'A' && c <= 'F') return static_cast<std::uint8_t>(c - 'A' + 10);
  return kNotADigit;
}

// The length of the UTF-8 sequence at `at` (RFC 3629 section 4), or 0 where there is none.
std::size_t utf8_sequence(std::string_view text, std::size_t at) {
  const auto octet = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
  const auto tail = [&](std::size_t i) { return (octet(i) & 0xc0U) == 0x80U; };
  const unsigned first = octet(at);
  const unsigned second = octet(at + 1);
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first <= 0xdf) return tail(at + 1) ? 2 : 0;
  if (first >= 0xe0 && first <= 0xef) {
    const bool overlong = first == 0xe0 && second < 0xa0;
    const bool surrogate = first == 0xed && second >= 0xa0;
    return tail(at + 1) && tail(at + 2) && !overlong && !surrogate ? 3 : 0;
  }
  if (first >= 0xf0 && first <= 0xf4) {
    const bool overlong = first == 0xf0 && second < 0x90;
    const bool beyond = first == 0xf4 && second >= 0x90;
    return tail(at + 1) && tail(at + 2) && tail(at + 3) && !overlong && !beyond ? 4 : 0;
  }
  return 0;
}

void append_control_escaped(std::string& to, unsigned char octet) {
  switch (octet) {
    case '\n': to += "\\n"; return;
    case '\r': to += "\\r"; return;
    case '\t': to += "\\t"; return;
    default: break;
  }
  to += "\\u00";
  to += kHexDigits[octet >> 4U];
  to += kHexDigits[octet & 0xfU];
}

// The octets that a JSON string may hold as they are, one by one.
constexpr std::array<bool, 256> make_json_plain() {
  std::array<bool, 256> plain{};
  for (std::size_t octet = 0x20; octet < 0x7f; ++octet) plain[octet] = octet != '"' && octet != '\\';
  return plain;
}
constexpr auto kJsonPlain = make_json_plain();

// Whether none of eight octets needs a closer look: no control character, quote or backslash, all of them ASCII. Most answers are long
// runs of such. (x - n) has the top bit where an octet below 0x80 is less than n; the xor turns what is looked for into zero.
bool eight_are_plain(const char* octets) {
  constexpr std::uint64_t kOnes = 0x0101010101010101U;
  constexpr std::uint64_t kTops = 0x8080808080808080U;
  std::uint64_t eight = 0;
  std::memcpy(&eight, octets, sizeof eight);
  const std::uint64_t quotes = eight ^ (kOnes * static_cast<unsigned char>('"'));
  const std::uint64_t backslashes = eight ^ (kOnes * static_cast<unsigned char>('\\'));
  const std::uint64_t deletes = eight ^ (kOnes * 0x7fU);
  const std::uint64_t found = eight | (eight - kOnes * 0x20U) | (quotes - kOnes) | (backslashes - kOnes) | (deletes - kOnes);
  return (found & kTops) == 0;
}

}  // namespace

std::string to_hex(ByteView bytes) {
  std::string text(bytes.size() * 2, '0');
  char* to = text.data();
  for (const std::uint8_t octet : bytes) {
    *to++ = kHexDigits[octet >> 4U];
    *to++ = kHexDigits[octet & 0xfU];
  }
  return text;
}

std::optional<Bytes> from_hex(std::string_view text) {
  if (text.size() % 2 != 0) return std::nullopt;
  Bytes bytes;
  bytes.reserve(text.size() / 2);
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const std::uint8_t high = hex_value(text[i]);
    const std::uint8_t low = hex_value(text[i + 1]);
    if (high == kNotADigit || low == kNotADigit) return std::nullopt;
    bytes.push_back(static_cast<std::uint8_t>(high << 4U | low));
  }
  return bytes;
}

std::string to_base64(ByteView bytes) {
  std::string text;
  text.resize((bytes.size() + 2) / 3 * 4);
  char* out = text.data();
  std::size_t i = 0;
  for (; i + 3 <= bytes.size(); i += 3) {
    const unsigned group = static_cast<unsigned>(bytes[i]) << 16U | static_cast<unsigned>(bytes[i + 1]) << 8U | bytes[i + 2];
    *out++ = kBase64Digits[group >> 18U];
    *out++ = kBase64Digits[group >> 12U & 0x3fU];
    *out++ = kBase64Digits[group >> 6U & 0x3fU];
    *out++ = kBase64Digits[group & 0x3fU];
  }
  const std::size_t left = bytes.size() - i;
  if (left == 0) return text;
  const unsigned group = static_cast<unsigned>(bytes[i]) << 16U | (left == 2 ? static_cast<unsigned>(bytes[i + 1]) << 8U : 0U);
  *out++ = kBase64Digits[group >> 18U];
  *out++ = kBase64Digits[group >> 12U & 0x3fU];
  *out++ = left == 2 ? kBase64Digits[group >> 6U & 0x3fU] : '=';
  *out++ = '=';
  return text;
}

std::optional<Bytes> from_base64(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  if (text.empty()) return Bytes{};
  const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
  Bytes bytes(text.size() / 4 * 3);
  std::uint8_t* to = bytes.data();
  const std::size_t whole = text.size() - (padding == 0 ? 0 : 4);
  for (std::size_t i = 0; i < whole; i += 4) {
    const std::uint8_t a = base64_value(text[i]), b = base64_value(text[i + 1]), c = base64_value(text[i + 2]),
                       d = base64_value(text[i + 3]);
    if (a == kNotADigit || b == kNotADigit || c == kNotADigit || d == kNotADigit) return std::nullopt;
    *to++ = static_cast<std::uint8_t>(a << 2U | b >> 4U);
    *to++ = static_cast<std::uint8_t>(b << 4U | c >> 2U);
    *to++ = static_cast<std::uint8_t>(c << 6U | d);
  }
  if (padding == 0) return bytes;
  // The last group; the bits that no octet uses must be zero.
  const std::uint8_t a = base64_value(text[whole]), b = base64_value(text[whole + 1]);
  const std::uint8_t c = padding == 1 ? base64_value(text[whole + 2]) : std::uint8_t{0};
  if (a == kNotADigit || b == kNotADigit || c == kNotADigit) return std::nullopt;
  if ((padding == 2 && (b & 0xfU) != 0) || (c & 0x3U) != 0) return std::nullopt;
  *to++ = static_cast<std::uint8_t>(a << 2U | b >> 4U);
  if (padding == 1) *to++ = static_cast<std::uint8_t>(b << 4U | c >> 2U);
  bytes.resize(bytes.size() - padding);
  return bytes;
}

std::string to_lower(std::string_view ascii) {
  std::string lower(ascii);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

std::optional<Uuid> parse_uuid(std::string_view text) {
  if (text.size() != 36) return std::nullopt;
  Uuid uuid{};
  std::size_t octet = 0;
  for (std::size_t i = 0; i < text.size();) {
    if (i == 8 || i == 13 || i == 18 || i == 23) {
      if (text[i++] != '-') return std::nullopt;
      continue;
    }
    const std::uint8_t high = hex_value(text[i]);
    const std::uint8_t low = hex_value(text[i + 1]);
    if (high == kNotADigit || low == kNotADigit) return std::nullopt;
    uuid[octet++] = static_cast<std::uint8_t>(high << 4U | low);
    i += 2;
  }
  return uuid;
}

std::string format_uuid(const Uuid& uuid) {
  std::string text = to_hex(uuid);
  for (const std::size_t at : {8U, 13U, 18U, 23U}) text.insert(at, 1, '-');
  return text;
}

bool is_utf8(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = utf8_sequence(text, at);
    if (length == 0) return false;
    at += length;
  }
  return true;
}

void append_json_escaped(std::string& to, std::string_view text) {
  std::size_t run = 0;  // start of what can be copied as it is
  const auto flush = [&](std::size_t end) { to.append(text.substr(run, end - run)); };
  const char* const octets = text.data();
  for (std::size_t at = 0; at < text.size();) {
    while (text.size() - at >= sizeof(std::uint64_t) && eight_are_plain(octets + at)) at += sizeof(std::uint64_t);
    if (at == text.size()) break;
    const auto octet = static_cast<unsigned char>(octets[at]);
    if (kJsonPlain[octet]) {
      ++at;
      continue;
    }
    const std::size_t length = utf8_sequence(text, at);
    if (length > 1) {
      at += length;
      continue;
    }
    flush(at);
    if (length == 0) {
      to += "\xef\xbf\xbd";
    } else if (octet == '"' || octet == '\\') {
      to += '\\';
      to += text[at];
    } else {
      append_control_escaped(to, octet);
    }
    run = ++at;
  }
  flush(text.size());
}

std::string json_string(std::string_view text) {
  std::string quoted = "\"";
  append_json_escaped(quoted, text);
  quoted += '"';
  return quoted;
}

}  // namespace birthmark
