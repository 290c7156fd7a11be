// SPDX-License-Identifier: Apache-2.0
#include "crypto/pkcs11/uri.h"

#include <array>
#include <optional>
#include <vector>

#include "base/text.h"

namespace birthmark::crypto::pkcs11 {
namespace {

constexpr std::string_view kScheme = "pkcs11:";
constexpr std::size_t kLongest = 2048;
constexpr std::string_view kPinAdvice =
    "a PIN does not belong in a URI, which ends in logs and process lists: put it into a file of mode 0600 and name that "
    "(pin-source=file:PATH, or pin_file in [hsm])";

enum class Place : std::uint8_t { path, query };

bool is_alphanumeric(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// pk11-pchar and pk11-qchar of RFC 7512 2.3. A bare '&' is allowed in the path only, '/', '?' and '|' in the query only.
bool may_stand_bare(char c, Place place) {
  constexpr std::string_view kBoth = "-._~:[]@!$'()*+,=";
  if (is_alphanumeric(c) || kBoth.find(c) != std::string_view::npos) return true;
  return place == Place::path ? c == '&' : c == '/' || c == '?' || c == '|';
}

std::optional<std::uint8_t> hex_digit(char c) {
  if (c >= '0' && c <= '9') return static_cast<std::uint8_t>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<std::uint8_t>(c - 'a' + 10);
  if (c >= 'A' && c <= 'F') return static_cast<std::uint8_t>(c - 'A' + 10);
  return std::nullopt;
}

Result<std::string> percent_decoded(std::string_view value, std::string_view name, Place place) {
  std::string decoded;
  for (std::size_t i = 0; i < value.size(); ++i) {
    if (value[i] != '%') {
      if (!may_stand_bare(value[i], place))
        return fail(ErrorCode::invalid, "the value of " + std::string(name) + " has a character that must be percent-encoded");
      decoded += value[i];
      continue;
    }
    const auto high = i + 1 < value.size() ? hex_digit(value[i + 1]) : std::nullopt;
    const auto low = i + 2 < value.size() ? hex_digit(value[i + 2]) : std::nullopt;
    if (!high || !low) return fail(ErrorCode::invalid, "the value of " + std::string(name) + " has a % without two hexadecimal digits");
    decoded += static_cast<char>(*high << 4U | *low);
    i += 2;
  }
  return decoded;
}

std::string percent_encoded(std::string_view value) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  constexpr std::string_view kPlain = "-._~";
  std::string encoded;
  for (const char c : value) {
    if (is_alphanumeric(c) || kPlain.find(c) != std::string_view::npos) {
      encoded += c;
      continue;
    }
    const auto octet = static_cast<std::uint8_t>(c);
    encoded += '%';
    encoded += kDigits[octet >> 4U];
    encoded += kDigits[octet & 15U];
  }
  return encoded;
}

std::string every_octet_encoded(ByteView octets) {
  std::string encoded;
  for (const std::uint8_t octet : octets) encoded += "%" + to_hex({&octet, 1});
  return encoded;
}

// Reads attributes one by one and refuses the second of a name.
class Reader {
 public:
  explicit Reader(Uri& uri) : uri_(uri) {}

  Status read_all(std::string_view attributes, char separator, Place place) {
    while (!attributes.empty()) {
      const std::size_t end = attributes.find(separator);
      BIRTHMARK_CHECK(read_one(attributes.substr(0, end), place));
      if (end == std::string_view::npos) return {};
      attributes.remove_prefix(end + 1);
      if (attributes.empty()) return fail(ErrorCode::invalid, "the URI ends in a separator");
    }
    return {};
  }

 private:
  Status read_one(std::string_view attribute, Place place) {
    const std::size_t equals = attribute.find('=');
    if (equals == std::string_view::npos || equals == 0)
      return fail(ErrorCode::invalid, "'" + printable(attribute) + "' is not of the form name=value");
    const std::string_view name = attribute.substr(0, equals);
    for (const std::string& earlier : seen_)
      if (earlier == name) return fail(ErrorCode::invalid, printable(name) + " stands twice");
    seen_.emplace_back(name);
    if (name == "pin-value") return fail(ErrorCode::forbidden, std::string(kPinAdvice));
    BIRTHMARK_TRY(std::string value, percent_decoded(attribute.substr(equals + 1), name, place));
    return place == Place::path ? take_path(name, std::move(value)) : take_query(name, std::move(value));
  }

  Status take_path(std::string_view name, std::string value) {
    constexpr std::size_t kLongestLabel = 255;
    if (value.empty() || value.size() > kLongestLabel)
      return fail(ErrorCode::invalid, printable(name) + " must have 1 to " + std::to_string(kLongestLabel) + " octets");
    const std::array<std::pair<std::string_view, std::string*>, 5> texts{{{"token", &uri_.token},
                                                                          {"manufacturer", &uri_.manufacturer},
                                                                          {"model", &uri_.model},
                                                                          {"serial", &uri_.serial},
                                                                          {"object", &uri_.object}}};
    for (const auto& [known, to] : texts) {
      if (name != known) continue;
      *to = std::move(value);
      return {};
    }
    if (name == "id") {
      uri_.id = to_bytes(as_bytes(value));
      return {};
    }
    if (name == "type")  // it always is the private key that is meant
      return value == "private" ? Status() : fail(ErrorCode::invalid, "type must be private: a key that signs is asked for");
    return fail(ErrorCode::invalid,
                "unknown attribute " + printable(name) + " (known: token, manufacturer, model, serial, object, id, type)");
  }

  Status take_query(std::string_view name, std::string value) {
    if (name == "module-path") {
      if (!value.starts_with('/')) return fail(ErrorCode::invalid, "module-path must be an absolute path");
      uri_.module_path = std::move(value);
      return {};
    }
    if (name == "pin-source") {
      constexpr std::string_view kFile = "file:";
      if (value.starts_with(kFile)) value.erase(0, kFile.size());
      if (!value.starts_with('/')) return fail(ErrorCode::invalid, "pin-source must be file: and an absolute path");
      uri_.pin_file = std::move(value);
      return {};
    }
    return fail(ErrorCode::invalid, "unknown attribute " + printable(name) + " (known: module-path, pin-source)");
  }

  static std::string printable(std::string_view text) {
    std::string clean(text.substr(0, 40));
    for (char& c : clean)
      if (c < 0x20 || c == 0x7f) c = '?';
    return clean;
  }

  Uri& uri_;
  std::vector<std::string> seen_;
};

}  // namespace

bool is_uri(std::string_view text) {
  if (text.size() < kScheme.size()) return false;
  for (std::size_t i = 0; i < kScheme.size(); ++i) {
    const char c = text[i];
    const char lower = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    if (lower != kScheme[i]) return false;
  }
  return true;
}

Result<Uri> Uri::parse(std::string_view text) {
  if (!is_uri(text)) return fail(ErrorCode::invalid, "not a pkcs11: URI (RFC 7512)");
  if (text.size() > kLongest) return fail(ErrorCode::too_large, "a pkcs11: URI has at most 2048 octets");
  if (text.find('\0') != std::string_view::npos) return fail(ErrorCode::invalid, "the URI has a NUL in it");
  text.remove_prefix(kScheme.size());
  const std::size_t question = text.find('?');
  Uri uri;
  Reader reader(uri);
  BIRTHMARK_CHECK(reader.read_all(text.substr(0, question), ';', Place::path));
  if (question != std::string_view::npos) BIRTHMARK_CHECK(reader.read_all(text.substr(question + 1), '&', Place::query));
  if (uri.module_path.find('\0') != std::string::npos || uri.pin_file.find('\0') != std::string::npos)
    return fail(ErrorCode::invalid, "a path has a NUL in it");
  return uri;
}

std::string Uri::text() const {
  std::string text;
  const auto add = [&](std::string_view name, const std::string& encoded) {
    if (!encoded.empty()) text.append(text.empty() ? "" : ";").append(name).append("=").append(encoded);
  };
  add("token", percent_encoded(token));
  add("manufacturer", percent_encoded(manufacturer));
  add("model", percent_encoded(model));
  add("serial", percent_encoded(serial));
  add("object", percent_encoded(object));
  add("id", every_octet_encoded(id));
  return std::string(kScheme) + text;
}

std::string Uri::key_text() const {
  std::string text = "the key";
  if (!object.empty()) text += " '" + object + "'";
  if (!id.empty()) text += " (id " + to_hex(id) + ")";
  return text;
}

std::string Uri::token_text() const {
  if (!token.empty()) return "the token '" + token + "'";
  if (!serial.empty()) return "the token with serial number " + serial;
  return "the only token";
}

}  // namespace birthmark::crypto::pkcs11
