// SPDX-License-Identifier: Apache-2.0
// Ports: time and randomness, injected so that tests can turn them.
#pragma once

#include <span>

#include "base/result.h"
#include "base/time.h"

namespace birthmark::core {

class Clock {
 public:
  virtual ~Clock() = default;
  [[nodiscard]] virtual Instant now() const = 0;  // civil time; may be wrong and may jump
  // Since some fixed moment; goes on during suspend and never jumps.
  [[nodiscard]] virtual Duration uptime() const = 0;
};

class Random {
 public:
  virtual ~Random() = default;
  // Cryptographically strong; fails rather than giving less.
  [[nodiscard]] virtual Status fill(std::span<std::uint8_t> to) = 0;
};

}  // namespace birthmark::core
