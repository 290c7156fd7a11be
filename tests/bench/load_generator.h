// SPDX-License-Identifier: Apache-2.0
// Keep-alive load over loopback: one thread, one epoll, N connections, each with one request at a time. Requests are ready-made bytes,
// so that the generator costs as little as it can of the cores it shares with the server.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace birthmark::bench {

struct LoadResult {
  std::size_t answered = 0;
  double seconds = 0;
  double generator_cpu_seconds = 0;
  std::vector<float> latencies_us;  // sorted

  [[nodiscard]] double rate() const { return static_cast<double>(answered) / seconds; }
  [[nodiscard]] double percentile_us(double fraction) const;
};

// The length of the whole answer at the front of `received`, 0 while it is not all there.
[[nodiscard]] std::size_t whole_answer(std::string_view received);

// Sends every request once, spread over `connections`. Anything but `expected_status` ends the run with what was answered instead.
[[nodiscard]] Result<LoadResult> run_load(std::uint16_t port, unsigned connections, std::span<const std::string> requests,
                                          int expected_status);

}  // namespace birthmark::bench
