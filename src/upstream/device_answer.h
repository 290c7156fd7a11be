// SPDX-License-Identifier: Apache-2.0
// What an upstream answers, read: bytes from outside, so every function is total.
#pragma once

#include <ctime>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/time.h"
#include "net/client.h"

namespace birthmark::upstream {

// One line for operators; what a server says is not to be trusted with a terminal.
[[nodiscard]] std::string noted(std::string_view text);

// Retry-After (RFC 9110 10.2.3): a number of seconds, or a date, which counts from the answer's own Date header, or from `now` where it has
// none. At most a day; a date that is over is no time at all.
[[nodiscard]] std::optional<Duration> retry_after(const net::ClientResponse& response, std::time_t now);

// `public-key` of a device object, as the factory API spells it, or `pubkey`, as the open servers do: its SubjectPublicKeyInfo.
[[nodiscard]] std::optional<Bytes> public_key_in(std::string_view body);

}  // namespace birthmark::upstream
