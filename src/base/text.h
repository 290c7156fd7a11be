// SPDX-License-Identifier: Apache-2.0
// Small text tools that several rooms need: hex, base64, UUIDs, JSON escaping. No locale anywhere.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace birthmark {

[[nodiscard]] std::string to_hex(ByteView bytes);  // lower case
[[nodiscard]] std::optional<Bytes> from_hex(std::string_view text);

// RFC 4648 section 4, with padding, no line breaks.
[[nodiscard]] std::string to_base64(ByteView bytes);
// Strict RFC 4648 section 4: full quanta, correct padding, zero trailing bits, no other characters.
[[nodiscard]] std::optional<Bytes> from_base64(std::string_view text);

[[nodiscard]] std::string to_lower(std::string_view ascii);

// A UUID in its 8-4-4-4-12 form, either case.
using Uuid = std::array<std::uint8_t, 16>;
[[nodiscard]] std::optional<Uuid> parse_uuid(std::string_view text);
[[nodiscard]] std::string format_uuid(const Uuid& uuid);  // lower case

[[nodiscard]] bool is_utf8(std::string_view text);

// Appends `text` as the inside of a JSON string (RFC 8259 section 7); bytes that are not UTF-8 become U+FFFD.
void append_json_escaped(std::string& to, std::string_view text);
// "text" with quotes.
[[nodiscard]] std::string json_string(std::string_view text);

}  // namespace birthmark
