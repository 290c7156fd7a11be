// SPDX-License-Identifier: Apache-2.0
// Keep-alive load of different requests over TLS: a thread for each connection, each with one request at a time. Requests are ready-made
// bytes.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "base/result.h"

namespace birthmark::bench {

struct EveLoadResult {
  std::size_t answered = 0;
  double seconds = 0;
  [[nodiscard]] double rate() const { return static_cast<double>(answered) / seconds; }
};

// Sends every request once, spread over `connections`; anything but `expected_status` is an error. The server is not checked: it is ours.
[[nodiscard]] Result<EveLoadResult> run_eve_load(std::uint16_t port, unsigned connections, std::span<const std::string> requests,
                                                 int expected_status);

}  // namespace birthmark::bench
