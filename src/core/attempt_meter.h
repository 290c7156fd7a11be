// SPDX-License-Identifier: Apache-2.0
// Counts failed attempts by where they come from, so that guessing is slowed. Only failures are answered differently: whoever shows a good
// credential is let in wherever he comes from, so nobody can lock another one out. Safe from every thread.
#pragma once

#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/time.h"

namespace birthmark::core {

class AttemptMeter {
 public:
  struct Rules {
    unsigned burst = 20;  // failures at once
    Duration recovers_one = std::chrono::seconds(6);
  };
  AttemptMeter() : AttemptMeter(Rules{}) {}
  explicit AttemptMeter(Rules rules) : rules_(rules) {}

  // Counts one; nothing, or how long `address` should wait before the next. `now` is uptime.
  [[nodiscard]] std::optional<std::chrono::seconds> count(std::string_view address, Duration now);

 private:
  struct Account {
    double spent = 0;
    Duration at{};
  };
  [[nodiscard]] double recovered(const Account& account, Duration now) const;

  const Rules rules_;
  std::mutex mutex_;
  std::unordered_map<std::string, Account> accounts_;
};

// What is counted together: one IPv4 address, one /64 of IPv6 (whoever has one address there has them all).
[[nodiscard]] std::string metered_network(std::string_view address);

}  // namespace birthmark::core
