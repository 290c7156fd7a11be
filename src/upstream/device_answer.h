// SPDX-License-Identifier: Apache-2.0
// What an upstream answers, read: bytes from outside, so every function is total.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/time.h"

namespace birthmark::upstream {

// One line for operators; what a server says is not to be trusted with a terminal.
[[nodiscard]] std::string noted(std::string_view text);

// RFC 9110 10.2.3, the form in seconds, at most a day; a date is treated as if there were none.
[[nodiscard]] std::optional<Duration> parse_retry_after(std::string_view text);

// `public-key` of a device object, as the factory API spells it, or `pubkey`, as the open servers do: its SubjectPublicKeyInfo.
[[nodiscard]] std::optional<Bytes> public_key_in(std::string_view body);

}  // namespace birthmark::upstream
